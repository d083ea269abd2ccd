//! This bridge among the other bridges of its ledger, and beside what Falafel,
//! ledger and broker remember.

mod amnesia;
mod membership;
mod reconcile;
mod sample;

pub(crate) use amnesia::Amnesia;
pub(crate) use membership::Heartbeat;
pub(crate) use reconcile::Reconcile;
pub(crate) use sample::Sampler;
