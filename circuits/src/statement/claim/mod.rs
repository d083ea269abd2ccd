//! The claim statement: a deposit's share of a finished defi interaction.

mod circuit;
mod rules;
mod witness;

#[cfg(test)]
mod tests;

pub use circuit::check;
pub use rules::published;
pub(crate) use witness::Claim;
pub use witness::ClaimWitness;
