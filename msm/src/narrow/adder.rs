//! [`Adder`] in ordinary integers.

use super::{
    coordinate::Coordinate,
    point::{Room, add_all},
};
use crate::{
    adder::{Adder, Additions},
    kernel::{Kernel, Machine},
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

impl Adder for Portable {
    const BATCH: usize = 1024;
    type Scratch<C: StoredCurve> = Room<C::Narrow>;

    fn add<C: StoredCurve, A: Additions>(self, room: &mut Room<C::Narrow>, additions: A) {
        self.run(Batch { additions, room });
    }
}

struct Batch<'a, F: Coordinate, A> {
    additions: A,
    room: &'a mut Room<F>,
}

impl<F: Coordinate, A: Additions> Kernel<Portable> for Batch<'_, F, A> {
    #[inline(always)]
    fn run(mut self, _: Portable) {
        add_all(&mut self.additions, self.room);
    }
}
