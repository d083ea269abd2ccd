//! Additions in sixteen lanes of a vector.

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

#[cfg(target_arch = "x86_64")]
pub(crate) use ifma::Ifma;
pub(crate) use slots::Wide;

#[cfg(test)]
mod tests;
