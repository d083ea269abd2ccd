//! [`Adder`] in lanes.

use super::{
    lanes::Lanes,
    point::{Step, add_all},
};
use crate::{
    adder::{Adder, Additions},
    kernel::Kernel,
    stored::StoredCurve,
};

/// Additions in the lanes of `L`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wide<L>(pub(crate) L);

/// Room for a batch.
pub(crate) struct WideSteps<L: Lanes, C: StoredCurve>(Vec<Step<L, C::Wide<L>>>);

impl<L: Lanes, C: StoredCurve> Default for WideSteps<L, C> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<L: Lanes> Adder for Wide<L> {
    const BATCH: usize = 4096;
    type Scratch<C: StoredCurve> = WideSteps<L, C>;

    fn add<C: StoredCurve, A: Additions>(self, scratch: &mut WideSteps<L, C>, additions: A) {
        self.0.run(Batch { additions, scratch });
    }
}

struct Batch<'a, L: Lanes, C: StoredCurve, A> {
    additions: A,
    scratch: &'a mut WideSteps<L, C>,
}

impl<L: Lanes, C: StoredCurve, A: Additions> Kernel<L> for Batch<'_, L, C, A> {
    #[inline(always)]
    fn run(mut self, lanes: L) {
        add_all(lanes, &mut self.additions, &mut self.scratch.0);
    }
}
