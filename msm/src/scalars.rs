//! Scalars cut into digits and sorted by them, once for all sums that use them.

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};
use rayon::prelude::*;

use crate::adder::Entry;

/// Bits of a scalar or of its negative, whichever is smaller.
const BITS: usize = Fr::MODULUS_BIT_SIZE as usize - 1;
/// Scalars that a task cuts.
const PIECE: usize = 4096;

/// The factors of a sum, prepared: to be used with any number of lists of
/// points.
///
/// Holds 4 bytes for each digit of each scalar that is not zero: with 2^16
/// scalars at most 80 bytes a scalar, with 2^20 at most 64. Making them takes as
/// much again for a while.
#[derive(Debug, Clone)]
pub struct Scalars {
    len: usize,
    /// Bits of a digit.
    width: usize,
    /// Points that are added once, or subtracted once, in a bucket of their own.
    ones: Buckets,
    /// Window w has the digits of weight 2^(w·width).
    windows: Vec<Buckets>,
}

/// The points of a window by their digits: bucket b has those whose digit is
/// b + 1, and the negatives of those whose digit is −(b + 1).
#[derive(Debug, Clone)]
pub(crate) struct Buckets {
    pub(crate) entries: Vec<Entry>,
    /// Where the entries of each bucket end.
    pub(crate) ends: Vec<u32>,
}

/// Some scalars in a row.
struct Piece {
    ones: Vec<Entry>,
    /// Neither 0, 1 nor −1, and the scalar or its negative, which is smaller.
    others: Vec<(Entry, BigInt<4>)>,
}

impl Scalars {
    /// Prepares `values`, of which there must be less than 2^31.
    ///
    /// # Panics
    /// If there are more.
    pub fn new(values: &[Fr]) -> Self {
        let len = values.len();
        assert!(len < Entry::LIMIT, "{len} scalars are too many");
        let pieces: Vec<Piece> = values
            .par_chunks(PIECE)
            .enumerate()
            .map(|(place, values)| Piece::of(place * PIECE, values))
            .collect();
        let ones: Vec<Entry> = pieces
            .iter()
            .flat_map(|piece| &piece.ones)
            .copied()
            .collect();
        let others: usize = pieces.iter().map(|piece| piece.others.len()).sum();
        let width = width(others);
        let windows = if others == 0 { 0 } else { BITS / width + 1 };
        let digits: Vec<Vec<u16>> = pieces
            .par_iter()
            .map(|piece| piece.digits(width, windows))
            .collect();
        let window = |window| {
            let pieces = pieces.iter().zip(&digits).map(|(piece, digits)| {
                let count = piece.others.len();
                (&piece.others[..], &digits[window * count..][..count])
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

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// All that is to be summed, with the bit that its digits begin at: windows,
    /// then the points that are added once.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (usize, &Buckets)> {
        let windows = self.windows.iter().enumerate();
        let windows = windows.map(|(window, buckets)| (window * self.width, buckets));
        windows.chain([(0, &self.ones)])
    }
}

/// Bits of a digit for so many scalars: those that need the fewest additions,
/// one for each digit and two for each bucket.
fn width(scalars: usize) -> usize {
    let additions = |width: &usize| (BITS / width + 1) * (scalars + (2 << (width - 1)));
    (3..=16).min_by_key(additions).unwrap_or(3)
}

impl Piece {
    fn of(start: usize, values: &[Fr]) -> Self {
        let (mut ones, mut others) = (Vec::new(), Vec::with_capacity(values.len()));
        let one = BigInt::one();
        for (index, value) in (start..).zip(values) {
            let mut number = value.into_bigint();
            let negative = number > Fr::MODULUS_MINUS_ONE_DIV_TWO;
            if negative {
                let mut rest = Fr::MODULUS;
                rest.sub_with_borrow(&number);
                number = rest;
            }
            let entry = Entry::new(index, negative);
            if number == one {
                ones.push(entry);
            } else if !number.is_zero() {
                others.push((entry, number));
            }
        }
        Self { ones, others }
    }

    /// The digits of all others, window by window, each plus 2^(width − 1).
    ///
    /// Adding that number to every digit but the top one carries all that
    /// digits from −2^(width − 1) to 2^(width − 1) − 1 need to carry. The top
    /// digit takes what is left: at most 2^(width − 1), as `BITS` is no more than
    /// `windows` · `width` − 1.
    fn digits(&self, width: usize, windows: usize) -> Vec<u16> {
        let half = 1u64 << (width - 1);
        let mut halves = BigInt::<4>::zero();
        for window in 0..windows.saturating_sub(1) {
            let bit = window * width + width - 1;
            halves.0[bit / 64] |= 1 << (bit % 64);
        }
        let count = self.others.len();
        let mut digits = vec![0; count * windows];
        for (index, (_, number)) in self.others.iter().enumerate() {
            let mut number = *number;
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
        digits
    }
}

impl Buckets {
    /// Sorts by bucket; digits of zero fall out.
    fn sort<'a>(
        pieces: impl Iterator<Item = (&'a [(Entry, BigInt<4>)], &'a [u16])> + Clone,
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
        // What was the start of a bucket becomes its end.
        for (others, digits) in pieces {
            for ((entry, _), digit) in others.iter().zip(digits) {
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
    use ark_ff::{AdditiveGroup, Field, UniformRand, Zero};

    use super::*;

    /// What the buckets say each scalar is.
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
        let piece = Piece::of(0, &values);
        for width in 3..=16 {
            let windows = BITS / width + 1;
            let digits = piece.digits(width, windows);
            for (index, (entry, _)) in piece.others.iter().enumerate() {
                let mut sum = Fr::zero();
                for window in (0..windows).rev() {
                    let digit = digits[window * piece.others.len() + index];
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
