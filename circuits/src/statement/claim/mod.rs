//! The claim statement: a deposit's share of a finished defi interaction.

mod circuit;
mod rules;
mod witness;

pub(crate) use circuit::synthesize;
pub(crate) use rules::{DEPOSIT_BITS, bridge_rules};
pub use rules::{published, violations};
pub use witness::ClaimWitness;
pub(crate) use witness::{DATA_DEPTH, element, siblings};
