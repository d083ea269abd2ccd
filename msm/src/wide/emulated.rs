//! [`Lanes`] in plain integers: the same arithmetic on a machine without
//! AVX-512, and under Miri.

use super::lanes::{LANES, LIMB_BITS, Lanes, Mask};
use crate::{
    kernel::{Kernel, Machine},
    modulus::Limbs,
};

/// Plain integers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Emulated;

const LOW: u64 = (1 << LIMB_BITS) - 1;

type Word = [u64; LANES];

fn each(operation: impl Fn(usize) -> u64) -> Word {
    std::array::from_fn(operation)
}

impl Machine for Emulated {
    fn run<K: Kernel<Self>>(self, kernel: K) {
        kernel.run(self);
    }
}

impl Lanes for Emulated {
    type Word = Word;

    fn splat(self, value: u64) -> Word {
        [value; LANES]
    }

    fn add(self, a: Word, b: Word) -> Word {
        each(|lane| a[lane].wrapping_add(b[lane]))
    }

    fn sub(self, a: Word, b: Word) -> Word {
        each(|lane| a[lane].wrapping_sub(b[lane]))
    }

    fn and(self, a: Word, b: Word) -> Word {
        each(|lane| a[lane] & b[lane])
    }

    fn or(self, a: Word, b: Word) -> Word {
        each(|lane| a[lane] | b[lane])
    }

    fn shift_left<const BITS: u32>(self, a: Word) -> Word {
        each(|lane| a[lane] << BITS)
    }

    fn shift_right<const BITS: u32>(self, a: Word) -> Word {
        each(|lane| a[lane] >> BITS)
    }

    fn shift_right_signed<const BITS: u32>(self, a: Word) -> Word {
        each(|lane| (a[lane].cast_signed() >> BITS).cast_unsigned())
    }

    fn multiply_low(self, sum: Word, a: Word, b: Word) -> Word {
        each(|lane| sum[lane].wrapping_add(a[lane].wrapping_mul(b[lane]) & LOW))
    }

    fn multiply_high(self, sum: Word, a: Word, b: Word) -> Word {
        each(|lane| {
            let product = u128::from(a[lane] & LOW) * u128::from(b[lane] & LOW);
            sum[lane].wrapping_add((product >> LIMB_BITS) as u64)
        })
    }

    fn equal(self, a: Word, b: Word) -> Mask {
        (0..LANES).fold(0, |mask, lane| {
            mask | Mask::from(a[lane] == b[lane]) << lane
        })
    }

    fn select(self, mask: Mask, a: Word, b: Word) -> Word {
        each(|lane| {
            if mask >> lane & 1 == 1 {
                a[lane]
            } else {
                b[lane]
            }
        })
    }

    fn look_up(self, table: &[u64; 8], place: Word) -> Word {
        each(|lane| table[(place[lane] & 7) as usize])
    }

    fn gather(self, rows: [&Limbs; LANES]) -> [Word; 4] {
        [0, 1, 2, 3].map(|limb: usize| rows.map(|row| row[limb]))
    }

    fn prefetch(self, _: &Limbs) {}

    fn scatter(self, limbs: [Word; 4]) -> [Limbs; LANES] {
        std::array::from_fn(|lane| limbs.map(|word| word[lane]))
    }
}
