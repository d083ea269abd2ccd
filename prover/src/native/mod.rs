//! The native engine: Groth16 over BN254 for the statements of
//! `zkwhirl-circuits`, from keys that hold the constraint matrices.

mod groth16;
mod key;
mod matrices;
mod points;

pub use groth16::SizeMismatch;
pub use key::{NativeKey, VerificationKey};
