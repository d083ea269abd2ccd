//! [`Lanes`] by AVX-512 IFMA: two registers of eight lanes a word, so that two
//! independent chains of multiplications hide each other's latency.

#![expect(
    unsafe_code,
    reason = "vector instructions: the one place where they are called"
)]

use std::arch::x86_64::*;

use super::lanes::{LANES, Lanes, Mask};
use crate::{
    kernel::{Kernel, Machine},
    modulus::Limbs,
};

/// Registers in a word.
const REGISTERS: usize = LANES / 8;

/// Two registers.
type Word = [__m512i; REGISTERS];

/// The right to use AVX-512 IFMA. Only [`Ifma::detect`] makes one: the field is
/// private.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ifma(());

impl Ifma {
    /// `None` where the processor, or the operating system, lacks AVX-512F or
    /// IFMA.
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
        found.then_some(Self(()))
    }
}

/// One instruction on each register of a word.
macro_rules! each {
    ($intrinsic:ident::<$($bits:ident),*>($($word:expr),*)) => {{
        let mut out = [each!(@first $($word),*)[0]; REGISTERS];
        for register in 0..REGISTERS {
            // SAFETY: `self` is an `Ifma`, which is only made after AVX-512F
            // and IFMA were detected; the instruction touches no memory.
            out[register] = unsafe { $intrinsic::<$($bits),*>($($word[register]),*) };
        }
        out
    }};
    ($intrinsic:ident($($word:expr),*)) => { each!($intrinsic::<>($($word),*)) };
    (@first $first:expr $(, $rest:expr)*) => { $first };
}

impl Machine for Ifma {
    fn run<K: Kernel<Self>>(self, kernel: K) {
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn compiled<K: Kernel<Ifma>>(lanes: Ifma, kernel: K) {
            kernel.run(lanes);
        }
        // SAFETY: an `Ifma` is only made after both features were detected.
        unsafe { compiled(self, kernel) }
    }
}

impl Lanes for Ifma {
    type Word = Word;

    #[inline(always)]
    fn splat(self, value: u64) -> Word {
        // SAFETY: as in `each`.
        [unsafe { _mm512_set1_epi64(value.cast_signed()) }; REGISTERS]
    }

    #[inline(always)]
    fn add(self, a: Word, b: Word) -> Word {
        each!(_mm512_add_epi64(a, b))
    }

    #[inline(always)]
    fn sub(self, a: Word, b: Word) -> Word {
        each!(_mm512_sub_epi64(a, b))
    }

    #[inline(always)]
    fn and(self, a: Word, b: Word) -> Word {
        each!(_mm512_and_si512(a, b))
    }

    #[inline(always)]
    fn or(self, a: Word, b: Word) -> Word {
        each!(_mm512_or_si512(a, b))
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self, a: Word) -> Word {
        each!(_mm512_slli_epi64::<BITS>(a))
    }

    #[inline(always)]
    fn shift_right<const BITS: u32>(self, a: Word) -> Word {
        each!(_mm512_srli_epi64::<BITS>(a))
    }

    #[inline(always)]
    fn shift_right_signed<const BITS: u32>(self, a: Word) -> Word {
        each!(_mm512_srai_epi64::<BITS>(a))
    }

    #[inline(always)]
    fn multiply_low(self, sum: Word, a: Word, b: Word) -> Word {
        each!(_mm512_madd52lo_epu64(sum, a, b))
    }

    #[inline(always)]
    fn multiply_high(self, sum: Word, a: Word, b: Word) -> Word {
        each!(_mm512_madd52hi_epu64(sum, a, b))
    }

    #[inline(always)]
    fn equal(self, a: Word, b: Word) -> Mask {
        let mut mask = 0;
        for register in 0..REGISTERS {
            // SAFETY: as in `each`.
            let equal = unsafe { _mm512_cmpeq_epi64_mask(a[register], b[register]) };
            mask |= Mask::from(equal) << (8 * register);
        }
        mask
    }

    #[inline(always)]
    fn select(self, mask: Mask, a: Word, b: Word) -> Word {
        let mut out = b;
        for register in 0..REGISTERS {
            let low = (mask >> (8 * register)) as u8;
            // SAFETY: as in `each`.
            out[register] = unsafe { _mm512_mask_mov_epi64(b[register], low, a[register]) };
        }
        out
    }

    #[inline(always)]
    fn look_up(self, table: &[u64; 8], place: Word) -> Word {
        // SAFETY: as in `each`; the load is of the table's 64 bytes and needs
        // no alignment.
        let table = [unsafe { _mm512_loadu_si512(table.as_ptr().cast()) }; REGISTERS];
        each!(_mm512_permutexvar_epi64(place, table))
    }

    #[inline(always)]
    fn gather(self, rows: [&Limbs; LANES]) -> [Word; 4] {
        let mut out = [self.splat(0); 4];
        for register in 0..REGISTERS {
            let row = |lane: usize| rows[8 * register + lane].as_ptr().cast();
            // SAFETY: the features are there, as in `each`; each row has 32
            // bytes, as many as a load reads, and a load needs no alignment.
            let limbs = unsafe {
                let two = |low: usize| {
                    let lower = _mm512_castsi256_si512(_mm256_loadu_si256(row(low)));
                    _mm512_inserti64x4::<1>(lower, _mm256_loadu_si256(row(low + 4)))
                };
                transpose([two(0), two(1), two(2), two(3)])
            };
            for limb in 0..4 {
                out[limb][register] = limbs[limb];
            }
        }
        out
    }

    #[inline(always)]
    fn prefetch(self, row: &Limbs) {
        // SAFETY: a hint about 32 bytes that are there; it changes nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().cast()) };
    }

    #[inline(always)]
    fn scatter(self, limbs: [Word; 4]) -> [Limbs; LANES] {
        let mut out = [[0; 4]; LANES];
        for register in 0..REGISTERS {
            // SAFETY: as in `gather`; each store writes a row's 32 bytes.
            unsafe {
                let [a, b, c, d] = limbs;
                let twos = transpose([a[register], b[register], c[register], d[register]]);
                for lane in 0..4 {
                    let low = out[8 * register + lane].as_mut_ptr().cast();
                    _mm256_storeu_si256(low, _mm512_castsi512_si256(twos[lane]));
                    let high = out[8 * register + lane + 4].as_mut_ptr().cast();
                    _mm256_storeu_si256(high, _mm512_extracti64x4_epi64::<1>(twos[lane]));
                }
            }
        }
        out
    }
}

/// Transposes the lower and the upper halves of four registers, each a square
/// of four by four: register `i` lane `j` becomes register `j` lane `i`. The
/// transposition is its own inverse.
///
/// # Safety
/// The processor must have AVX-512F.
#[inline(always)]
unsafe fn transpose(rows: [__m512i; 4]) -> [__m512i; 4] {
    // SAFETY: the caller's promise; no memory is touched.
    unsafe {
        let even01 = _mm512_unpacklo_epi64(rows[0], rows[1]);
        let odd01 = _mm512_unpackhi_epi64(rows[0], rows[1]);
        let even23 = _mm512_unpacklo_epi64(rows[2], rows[3]);
        let odd23 = _mm512_unpackhi_epi64(rows[2], rows[3]);
        let first = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
        let second = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
        [
            _mm512_permutex2var_epi64(even01, first, even23),
            _mm512_permutex2var_epi64(odd01, first, odd23),
            _mm512_permutex2var_epi64(even01, second, even23),
            _mm512_permutex2var_epi64(odd01, second, odd23),
        ]
    }
}
