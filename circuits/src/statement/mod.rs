//! The statements, one folder each: the folder implements [`Statement`], and
//! `registry.rs` lists it.

pub mod account;
pub mod claim;
pub mod client;
mod definition;
pub mod join_split;
mod matched;
mod registry;
mod request;
pub mod root_rollup;
pub mod tx_rollup;

pub(crate) use definition::Statement;
pub use registry::{StatementKind, Witness};
