//! The complete simulation: pipelines over real sockets with an honest worker,
//! a rejecting worker and a lying worker.

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

use std::{sync::Arc, time::Duration};

use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FalafelConfig, FieldsOnly, ReplyCheck, RollupPlan};
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
    let config = config(Some(plan), Arc::new(FieldsOnly));
    Falafel::start(config).await.unwrap()
}

/// These workers do not ping: the lease is longer than any of their work.
fn config(plan: Option<RollupPlan>, check: Arc<dyn ReplyCheck>) -> FalafelConfig {
    FalafelConfig {
        ack_timeout: Duration::from_secs(600),
        ..FalafelConfig::new(plan, check)
    }
}

fn kind(frame: &Frame) -> Option<Kind> {
    identify(frame.command, &frame.data)
}
