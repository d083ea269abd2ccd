//! The windows of a hash, which depend on the lengths of its inputs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ark_ff::AdditiveGroup;
use ark_grumpkin::Projective;

use super::window::{FirstWindow, SignedWindow, WINDOW};
use crate::pedersen::bit_points;
use crate::r1cs::Bit;

/// The fixed points of a hash, computed once per index and input lengths.
pub(super) struct HashShape {
    pub(super) start: FirstWindow,
    pub(super) steps: Vec<WindowStep>,
}

/// One window after the first.
pub(super) struct WindowStep {
    input: usize,
    offset: usize,
    count: usize,
    pub(super) window: SignedWindow,
}

impl WindowStep {
    /// Returns the window's bits out of the bits of all inputs.
    pub(super) fn bits<'a>(&self, inputs: &[&'a [Bit]]) -> &'a [Bit] {
        &inputs[self.input][self.offset..self.offset + self.count]
    }
}

/// Returns the cached shape of a hash with this index and inputs of these lengths in bits.
pub(super) fn shape(index: usize, lengths: &[usize]) -> Arc<HashShape> {
    type Cache = Mutex<HashMap<(usize, Vec<usize>), Arc<HashShape>>>;
    static CACHE: OnceLock<Cache> = OnceLock::new();
    let mut cache = CACHE
        .get_or_init(Cache::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(shape) = cache.get(&(index, lengths.to_vec())) {
        return Arc::clone(shape);
    }
    let shape = Arc::new(HashShape::new(index, lengths));
    cache.insert((index, lengths.to_vec()), Arc::clone(&shape));
    shape
}

impl HashShape {
    fn new(index: usize, lengths: &[usize]) -> Self {
        let mut base = Projective::ZERO;
        let mut steps = Vec::new();
        for (input, length) in lengths.iter().enumerate() {
            let points = bit_points(index, input);
            base += points.constant;
            for offset in (0..*length).step_by(WINDOW) {
                if (input, offset) == (0, 0) {
                    continue;
                }
                let count = WINDOW.min(length - offset);
                let halves = &points.halves[offset..offset + count];
                // The signed form lacks the half points of the plain form, so the base adds them.
                base += halves.iter().sum::<Projective>();
                steps.push(WindowStep {
                    input,
                    offset,
                    count,
                    window: SignedWindow::new(halves),
                });
            }
        }
        let start = FirstWindow::new(base, &bit_points(index, 0).bits[..WINDOW]);
        Self { start, steps }
    }
}
