//! Additions in sixteen lanes of a vector.

#![expect(
    clippy::needless_range_loop,
    reason = "loops run over lanes and limbs of several arrays at once, without closures"
)]

mod butterfly;
mod coordinate;
mod element;
#[cfg(test)]
mod emulated;
mod fq;
mod fq2;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod lanes;
mod modulus;
mod point;
mod slots;

pub(crate) use butterfly::{Blocks, Combine, Direction, Multiply, RADIX, Strided};
#[cfg(target_arch = "x86_64")]
pub(crate) use ifma::Ifma;
pub(crate) use lanes::{LANES, Lanes};
pub(crate) use slots::Wide;

#[cfg(test)]
pub(crate) use emulated::Emulated;

#[cfg(test)]
mod tests;
