//! The cooperation with the other bridges of the ledger, and the comparison with the
//! state of Falafel, ledger and broker.

mod amnesia;
pub(crate) mod membership;
pub(crate) mod reconcile;
pub(crate) mod sample;

pub(crate) use amnesia::Amnesia;
