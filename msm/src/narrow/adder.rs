//! [`Adder`] in ordinary integers.

use super::point::{Step, add_all};
use crate::{
    adder::{Adder, Additions},
    kernel::{Kernel, Machine},
    narrow::Coordinate,
    stored::StoredCurve,
};

/// What every machine can do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

impl Machine for Portable {
    fn run<K: Kernel<Self>>(self, kernel: K) {
        kernel.run(self);
    }
}

/// Room for a batch.
pub(crate) struct NarrowSteps<C: StoredCurve>(
    Vec<Step<<C::Narrow as Coordinate>::Divisor>>,
);

impl<C: StoredCurve> Default for NarrowSteps<C> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Adder for Portable {
    const BATCH: usize = 2048;
    type Scratch<C: StoredCurve> = NarrowSteps<C>;

    fn add<C: StoredCurve, A: Additions>(self, scratch: &mut NarrowSteps<C>, additions: A) {
        self.run(Batch { additions, scratch });
    }
}

struct Batch<'a, C: StoredCurve, A> {
    additions: A,
    scratch: &'a mut NarrowSteps<C>,
}

impl<C: StoredCurve, A: Additions> Kernel<Portable> for Batch<'_, C, A> {
    #[inline(always)]
    fn run(mut self, _: Portable) {
        add_all::<C::Narrow, A>(&mut self.additions, &mut self.scratch.0);
    }
}
