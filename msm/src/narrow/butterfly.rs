//! [`Butterflies`] of one element a word.

use ark_bn254::Fr;

use super::{adder::Portable, residue::Residue};
use crate::{
    butterfly::{Butterflies, Direction},
    modulus::Scalar,
};

impl Butterflies for Portable {
    const LANES: usize = 1;
    const SCALE: u64 = 1;
    type Word = Residue<Scalar>;

    #[inline(always)]
    fn splat(self, value: &Fr) -> Residue<Scalar> {
        Residue::new(value.0.0)
    }

    #[inline(always)]
    fn load(self, values: &[Fr], first: usize, _: usize) -> Residue<Scalar> {
        Residue::new(values[first].0.0)
    }

    #[inline(always)]
    fn store(self, word: Residue<Scalar>, values: &mut [Fr], first: usize, _: usize) {
        values[first].0.0 = word.limbs();
    }

    #[inline(always)]
    fn multiply(self, a: Residue<Scalar>, b: Residue<Scalar>) -> Residue<Scalar> {
        a.multiply(b)
    }

    #[inline(always)]
    fn add(self, a: Residue<Scalar>, b: Residue<Scalar>) -> Residue<Scalar> {
        a.add(b)
    }

    #[inline(always)]
    fn butterfly(
        self,
        direction: Direction,
        (u, v): (Residue<Scalar>, Residue<Scalar>),
        root: Residue<Scalar>,
        _: bool,
    ) -> (Residue<Scalar>, Residue<Scalar>) {
        match direction {
            Direction::Forward => {
                let v = v.multiply(root);
                (u.add(v), u.sub(v))
            }
            Direction::Inverse => (u.add(v), u.sub(v).multiply(root)),
        }
    }
}
