//! Tests over several statements, and code that the tests of statements share.

mod agreement;
mod chain;
mod client_digests;
mod document;
mod freedom;
mod plan;
mod rules;
pub(crate) mod support;
mod vectors;
