//! Additions in sixteen lanes of a vector.

#![expect(
    clippy::needless_range_loop,
    reason = "loops run over lanes and limbs of several arrays at once, without closures"
)]

mod adder;
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

pub(crate) use adder::Wide;
pub(crate) use coordinate::Coordinate;
pub(crate) use fq::Fq;
pub(crate) use fq2::Fq2;
#[cfg(target_arch = "x86_64")]
pub(crate) use ifma::Ifma;
pub(crate) use lanes::Lanes;

#[cfg(test)]
pub(crate) use emulated::Emulated;

#[cfg(test)]
mod tests;
