//! The progress of a key's generation, and whether its result is still wanted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

const THOUSAND: f32 = 1000.0;

/// A handle on a generation that is under way; clones share it.
///
/// The generator reports its progress to the processes that wait for the key. The
/// store reports that another process has taken over the generation; the result
/// of this generation is then discarded.
#[derive(Debug, Clone, Default)]
pub struct Advance(Arc<AdvanceState>);

#[derive(Debug, Default)]
struct AdvanceState {
    thousandths: AtomicU32,
    overtaken: AtomicBool,
}

impl Advance {
    /// Reports that `fraction` of the generation is done, 0 to 1.
    pub fn to(&self, fraction: f32) {
        // A cast of a float keeps within the integer's range, and maps NaN to 0.
        let thousandths = (fraction.clamp(0.0, 1.0) * THOUSAND) as u32;
        self.0.thousandths.store(thousandths, Ordering::Relaxed);
    }

    /// The fraction of the generation that is done, 0 to 1.
    pub fn fraction(&self) -> f32 {
        self.0.thousandths.load(Ordering::Relaxed) as f32 / THOUSAND
    }

    /// True if another process has taken over the generation: stop.
    pub(crate) fn is_overtaken(&self) -> bool {
        self.0.overtaken.load(Ordering::Relaxed)
    }

    pub(crate) fn overtake(&self) {
        self.0.overtaken.store(true, Ordering::Relaxed);
    }
}
