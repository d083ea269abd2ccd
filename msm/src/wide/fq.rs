//! Elements of Fq, as arkworks stores them: its numbers are a·2^256 mod q, which
//! stand for a/16 where products divide by 2^260. [`point`](super::point) says what
//! becomes of the 16.

use ark_bn254::Fq as ArkFq;
use ark_ff::serial_batch_inversion_and_mul;

use super::{
    element::Element,
    lanes::{LANES, Lanes},
};
use crate::modulus::{Base, Limbs, canonical};

/// Sixteen elements of Fq.
pub(crate) type Fq<L> = Element<L, Base>;

impl<L: Lanes> Fq<L> {
    /// In place of a, the number that divides by a when it is a factor of a
    /// multiplication, over four: 2^518 / a mod q. Of clean values of 0 to
    /// 2^256; zero stays zero.
    #[inline(always)]
    pub(crate) fn quarter_inverse(self, lanes: L) -> Self {
        let numbers = self.store(lanes);
        let inverted = invert(&numbers);
        let mut rows = [&inverted[0]; LANES];
        for lane in 0..LANES {
            rows[lane] = &inverted[lane];
        }
        Self::load(lanes, rows)
    }
}

/// One inversion for all lanes, by arkworks' arithmetic. A stored number a is
/// a / 2^256 to arkworks, and what it stores for the inverse of that is
/// 2^512 / a.
#[inline(never)]
fn invert(numbers: &[Limbs; LANES]) -> [Limbs; LANES] {
    let mut values = numbers.map(|number| -> ArkFq { canonical(&number) });
    serial_batch_inversion_and_mul(&mut values, &ArkFq::from(1 << 6));
    values.map(|value| value.0.0)
}
