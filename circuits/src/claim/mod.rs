//! The claim statement: a deposit's share of a finished defi interaction.

mod circuit;
mod rules;
mod witness;

pub(crate) use circuit::synthesize;
pub use rules::violations;
pub(crate) use rules::{DEPOSIT_BITS, published};
pub use witness::ClaimWitness;
pub(crate) use witness::{DATA_DEPTH, element, siblings};
