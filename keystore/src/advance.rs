//! How far a key's generation is, and whether it is still wanted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

const THOUSAND: f32 = 1000.0;

/// A handle on a generation under way; clones are the same one.
///
/// The generator says how far it is, for those that wait; the store says when
/// another process has taken over, and then the rest of the work is lost.
#[derive(Debug, Clone, Default)]
pub struct Advance(Arc<State>);

#[derive(Debug, Default)]
struct State {
    thousandths: AtomicU32,
    overtaken: AtomicBool,
}

impl Advance {
    /// Says that `fraction` is done, 0 to 1.
    pub fn to(&self, fraction: f32) {
        // A cast of a float keeps within the integer's range, and maps NaN to 0.
        let thousandths = (fraction.clamp(0.0, 1.0) * THOUSAND) as u32;
        self.0.thousandths.store(thousandths, Ordering::Relaxed);
    }

    /// How much is done, 0 to 1.
    pub fn fraction(&self) -> f32 {
        self.0.thousandths.load(Ordering::Relaxed) as f32 / THOUSAND
    }

    /// True when another process makes the key by now: stop.
    pub fn is_overtaken(&self) -> bool {
        self.0.overtaken.load(Ordering::Relaxed)
    }

    pub(crate) fn overtake(&self) {
        self.0.overtaken.store(true, Ordering::Relaxed);
    }
}
