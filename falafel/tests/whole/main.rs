//! The whole of it: pipelines over real sockets with an honest worker, a
//! rejecting one and a lying one.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test, as tests do"
)]

mod keys;
mod pipeline;
mod refusals;
mod root;
mod servers;
mod worker;

use std::sync::Arc;

use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FalafelConfig, FieldsOnly, RollupPlan};
use zkwhirl_job::{Frame, Kind, Sizes, identify};

fn plan() -> RollupPlan {
    RollupPlan {
        suite: Suite::Poseidon,
        seed: 1,
        sizes: Sizes::new(2, 2).unwrap(),
        genesis_claims: 3,
        max_claims: 4,
        txs: 3,
        rollups: Some(2),
        vks: false,
    }
}

async fn falafel(plan: RollupPlan) -> Falafel {
    let config = FalafelConfig::new(Some(plan), Arc::new(FieldsOnly));
    Falafel::start(config).await.unwrap()
}

fn kind(frame: &Frame) -> Option<Kind> {
    identify(frame.command, &frame.data)
}
