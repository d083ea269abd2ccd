//! This bridge among the other bridges of its ledger, and beside what Falafel,
//! ledger and broker remember.

mod amnesia;
pub(crate) mod membership;
pub(crate) mod reconcile;
pub(crate) mod sample;

pub(crate) use amnesia::Amnesia;
