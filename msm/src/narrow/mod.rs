//! Additions and transforms in ordinary integers, for any machine.

#![expect(
    clippy::needless_range_loop,
    reason = "loops run over limbs of several arrays at once and must be unrolled"
)]

mod adder;
mod butterfly;
mod complex;
mod coordinate;
mod point;
mod residue;
#[cfg(test)]
mod tests;

pub(crate) use adder::Portable;
pub(crate) use complex::Complex;
pub(crate) use coordinate::Coordinate;
pub(crate) use residue::Residue;
