//! [`Butterflies`] in lanes.

use ark_bn254::Fr;

use super::{
    element::Element,
    lanes::{LANES, Lanes},
};
use crate::{
    butterfly::{Butterflies, Direction},
    modulus::{Limbs, Scalar},
};

impl<L: Lanes> Butterflies for L {
    const LANES: usize = LANES;
    /// As stored, roots and factors make up for the 2^256 and 2^260 of stored
    /// numbers and of products.
    const SCALE: u64 = 16;
    type Word = Element<L, Scalar>;

    #[inline(always)]
    fn splat(self, value: &Fr) -> Self::Word {
        Element::splat_stored(self, &value.0.0)
    }

    #[inline(always)]
    fn load(self, values: &[Fr], first: usize, stride: usize) -> Self::Word {
        let values = &values[first..][..(LANES - 1) * stride + 1];
        let mut rows: [&Limbs; LANES] = [&values[0].0.0; LANES];
        for lane in 1..LANES {
            rows[lane] = &values[lane * stride].0.0;
        }
        Element::load(self, rows)
    }

    #[inline(always)]
    fn store(self, word: Self::Word, values: &mut [Fr], first: usize, stride: usize) {
        let rows = word.store(self);
        let values = &mut values[first..][..(LANES - 1) * stride + 1];
        for lane in 0..LANES {
            values[lane * stride].0.0 = rows[lane];
        }
    }

    #[inline(always)]
    fn multiply(self, a: Self::Word, b: Self::Word) -> Self::Word {
        a.multiply(self, b)
    }

    #[inline(always)]
    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word {
        a.add(self, b).reduce(self)
    }

    /// Elements are below 1.07·q before every second step, for which `reduce` is
    /// false, and below 3.1·q before the others.
    #[inline(always)]
    fn butterfly(
        self,
        direction: Direction,
        (u, v): (Self::Word, Self::Word),
        root: Self::Word,
        reduce: bool,
    ) -> (Self::Word, Self::Word) {
        if direction == Direction::Forward {
            let v = v.multiply(self, root);
            let (sum, difference) = (u.add(self, v), u.sub(self, v));
            if reduce {
                (sum.reduce(self), difference.reduce(self))
            } else {
                let difference = difference.lift::<2>(self);
                (sum.clean(self), difference.clean(self))
            }
        } else {
            let (sum, difference) = (u.add(self, v), u.sub(self, v));
            let sum = if reduce {
                sum.reduce(self)
            } else {
                sum.clean(self)
            };
            let difference = difference.lift::<4>(self).clean(self);
            (sum, difference.multiply(self, root))
        }
    }
}
