//! The statements, a folder each: what each consists of is
//! [`Statement`], which they are is in `registry.rs`.

pub mod account;
pub mod claim;
mod client;
mod definition;
pub mod join_split;
mod registry;
mod request;
pub mod root_rollup;
pub mod tx_rollup;

pub use client::client_digest;
pub(crate) use client::client_tag;
pub(crate) use definition::Statement;
pub use registry::{StatementKind, Witness};
