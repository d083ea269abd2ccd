//! The preparation of scalars: they are cut into digits, and sorted by digit.

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, Field, PrimeField, Zero};
use rayon::prelude::*;

use crate::adder::Entry;

/// The number of bits of the smaller of a scalar and its negative.
const BITS: usize = Fr::MODULUS_BIT_SIZE as usize - 1;
/// The number of scalars that one task cuts into digits.
const PIECE: usize = 4096;

/// Prepared scalars, the factors of a sum. The same scalars can be used with any
/// number of lists of points.
///
/// They take 4 bytes for each nonzero digit of each scalar: at most 80 bytes per
/// scalar for 2^16 scalars, at most 64 for 2^20. The preparation takes as much
/// memory again while it runs.
#[derive(Debug, Clone)]
pub struct Scalars {
    len: usize,
    /// The number of bits of a digit.
    width: usize,
    /// One bucket with the points whose scalars are 1 or −1.
    ones: Buckets,
    /// The buckets of each window: window w has the digits of weight 2^(w·width).
    windows: Vec<Buckets>,
}

/// The points of a window, sorted by digit: bucket b has the points whose digit is
/// b + 1, and the negatives of the points whose digit is −(b + 1).
#[derive(Debug, Clone)]
pub(crate) struct Buckets {
    pub(crate) entries: Vec<Entry>,
    /// The index in `entries` at which each bucket ends.
    pub(crate) ends: Vec<u32>,
}

/// Consecutive scalars, which one task cuts into digits.
struct Piece<'a> {
    values: &'a [Fr],
    /// The index of the first scalar of the piece.
    start: usize,
    ones: Vec<Entry>,
    /// The scalars that are not 0, 1 or −1.
    others: Vec<Entry>,
}

/// The digits of a piece's other scalars, window by window. Each digit is stored
/// plus 2^(width − 1).
struct Digits {
    /// The scalars. An entry is negative if its digits are those of −scalar.
    others: Vec<Entry>,
    digits: Vec<u16>,
}

impl Scalars {
    /// Prepares `values`, fewer than 2^31 scalars.
    ///
    /// # Panics
    /// If `values` has 2^31 scalars or more.
    pub fn new(values: &[Fr]) -> Self {
        let len = values.len();
        assert!(len < Entry::LIMIT, "{len} scalars are too many");
        let pieces = values.par_chunks(PIECE).enumerate();
        let pieces: Vec<Piece> = pieces
            .map(|(place, values)| Piece::new(place * PIECE, values))
            .collect();
        let ones = pieces.iter().flat_map(|piece| &piece.ones);
        let ones: Vec<Entry> = ones.copied().collect();
        let others = pieces.iter().map(|piece| piece.others.len()).sum();
        let width = width(others);
        let windows = if others == 0 { 0 } else { BITS / width + 1 };
        let pieces = pieces.into_par_iter();
        let pieces: Vec<Digits> = pieces.map(|piece| piece.cut(width, windows)).collect();
        let window = |window| {
            let pieces = pieces.iter().map(|piece| {
                let count = piece.others.len();
                (&piece.others[..], &piece.digits[window * count..][..count])
            });
            Buckets::sort(pieces, 1 << (width - 1))
        };
        Self {
            len,
            width,
            ones: Buckets {
                ends: vec![ones.len() as u32],
                entries: ones,
            },
            windows: (0..windows).into_par_iter().map(window).collect(),
        }
    }

    /// The number of scalars, zeros included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the list of scalars is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The parts of the sum: the windows, each with the bit at which its digits
    /// begin, then the points whose scalars are 1 or −1, with bit 0.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (usize, &Buckets)> {
        let windows = self.windows.iter().enumerate();
        let windows = windows.map(|(window, buckets)| (window * self.width, buckets));
        windows.chain([(0, &self.ones)])
    }
}

/// The number of bits of a digit that takes the fewest additions for a number of
/// scalars: one addition for each digit, and two for each bucket.
fn width(scalars: usize) -> usize {
    let additions = |width: &usize| (BITS / width + 1) * (scalars + (2 << (width - 1)));
    (3..=16).min_by_key(additions).unwrap_or(3)
}

impl<'a> Piece<'a> {
    fn new(start: usize, values: &'a [Fr]) -> Self {
        let (mut ones, mut others) = (Vec::new(), Vec::with_capacity(values.len()));
        let minus_one = -Fr::ONE;
        for (index, value) in (start..).zip(values) {
            if *value == Fr::ONE || *value == minus_one {
                ones.push(Entry::new(index, *value == minus_one));
            } else if !value.is_zero() {
                others.push(Entry::new(index, false));
            }
        }
        Self {
            values,
            start,
            ones,
            others,
        }
    }

    /// Cuts scalars into digits from −2^(width − 1) to 2^(width − 1) − 1. Only the
    /// top digit may be larger by 1.
    ///
    /// Adding 2^(width − 1) to every digit except the top digit does all carries
    /// that such digits need. The top digit is the rest, at most 2^(width − 1),
    /// because `BITS` is at most `windows` · `width` − 1.
    fn cut(self, width: usize, windows: usize) -> Digits {
        let half = 1u64 << (width - 1);
        let mut halves = BigInt::<4>::zero();
        for window in 0..windows.saturating_sub(1) {
            let bit = window * width + width - 1;
            halves.0[bit / 64] |= 1 << (bit % 64);
        }
        let mut others = self.others;
        let count = others.len();
        let mut digits = vec![0; count * windows];
        for (index, other) in others.iter_mut().enumerate() {
            let mut number = self.values[other.index() - self.start].into_bigint();
            if number > Fr::MODULUS_MINUS_ONE_DIV_TWO {
                let mut rest = Fr::MODULUS;
                rest.sub_with_borrow(&number);
                number = rest;
                *other = other.negate(true);
            }
            number.add_with_carry(&halves);
            for window in 0..windows {
                let (limb, shift) = (window * width / 64, window * width % 64);
                let upper = number.0.get(limb + 1).copied().unwrap_or(0);
                let both = u128::from(upper) << 64 | u128::from(number.0[limb]);
                let mut digit = (both >> shift) as u64 & (2 * half - 1);
                if window + 1 == windows {
                    digit += half;
                }
                digits[window * count + index] = digit as u16;
            }
        }
        Digits { others, digits }
    }
}

impl Buckets {
    /// Sorts the entries of one window by bucket, and leaves out digits of zero.
    fn sort<'a>(
        pieces: impl Iterator<Item = (&'a [Entry], &'a [u16])> + Clone,
        half: usize,
    ) -> Self {
        let mut counts = vec![0; half + 1];
        for (_, digits) in pieces.clone() {
            for digit in digits {
                counts[usize::from(*digit).abs_diff(half)] += 1;
            }
        }
        counts[0] = 0;
        let mut total = 0;
        for count in &mut counts {
            total += *count;
            *count = total - *count;
        }
        let mut entries = vec![Entry::new(0, false); total as usize];
        // `counts` holds the start of each bucket, and after the loop its end.
        for (others, digits) in pieces {
            for (entry, digit) in others.iter().zip(digits) {
                let digit = usize::from(*digit);
                if digit != half {
                    let place: &mut u32 = &mut counts[digit.abs_diff(half)];
                    entries[*place as usize] = entry.negate(digit < half);
                    *place += 1;
                }
            }
        }
        let ends = counts.split_off(1);
        Self { entries, ends }
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::{AdditiveGroup, UniformRand};

    use super::*;

    /// Computes each scalar from the buckets.
    fn read(scalars: &Scalars) -> Vec<Fr> {
        let mut out = vec![Fr::zero(); scalars.len()];
        for (bit, buckets) in scalars.parts() {
            let weight = Fr::ONE.double().pow([bit as u64]);
            let mut start = 0;
            for (bucket, end) in buckets.ends.iter().enumerate() {
                for entry in &buckets.entries[start..*end as usize] {
                    let digit = weight * Fr::from(bucket as u64 + 1);
                    out[entry.index()] += if entry.is_negative() { -digit } else { digit };
                }
                start = *end as usize;
            }
        }
        out
    }

    #[test]
    fn digits_add_up_to_the_scalars_for_every_width() {
        let rng = &mut ark_std::test_rng();
        let half = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
        let mut values = vec![Fr::ZERO, Fr::ONE, -Fr::ONE, half, -half, half + Fr::ONE];
        values.extend((0..252).map(|bit| Fr::from(2).pow([bit])));
        values.extend((1..252).map(|bit| Fr::from(2).pow([bit]) - Fr::ONE));
        values.extend((0..300).map(|_| Fr::rand(rng)));
        for count in [0, 1, 3, 6, 500, values.len()] {
            assert_eq!(read(&Scalars::new(&values[..count])), values[..count]);
        }
        for width in 3..=16 {
            let windows = BITS / width + 1;
            let Digits { others, digits } = Piece::new(0, &values).cut(width, windows);
            for (index, entry) in others.iter().enumerate() {
                let mut sum = Fr::zero();
                for window in (0..windows).rev() {
                    let digit = digits[window * others.len() + index];
                    let digit = Fr::from(u64::from(digit)) - Fr::from(1u64 << (width - 1));
                    sum = sum * Fr::from(1u64 << width) + digit;
                }
                let value = values[entry.index()];
                assert_eq!(sum, if entry.is_negative() { -value } else { value });
            }
        }
    }

    #[test]
    fn bits_have_no_digits() {
        let values = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::ONE];
        let scalars = Scalars::new(&values);
        assert_eq!(scalars.windows.len(), 0);
        assert_eq!(scalars.ones.entries.len(), 3);
    }
}
