//! Falafel in split and normal mode, and requests from a caller.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FieldsOnly, JobError, Listen, RollupPlan, job_server::Rejected};
use zkwhirl_job::Kind;
use zkwhirl_testkit::vector;

use crate::{config, kind, plan, worker::Worker};

#[tokio::test]
async fn in_normal_mode_one_server_has_every_kind() {
    let plan = RollupPlan {
        vks: true,
        ..plan()
    };
    let mut config = config(Some(plan), Arc::new(FieldsOnly));
    config.listen = Listen::Normal(([127, 0, 0, 1], 0).into());
    let falafel = Falafel::start(config).await.unwrap();
    assert_eq!(falafel.outer_address(), None);
    let worker = Worker::of(&falafel);
    let mut kinds = Vec::new();
    while falafel.progress().settled < 1 {
        kinds.extend(kind(&worker.work().await));
    }
    let kinds = BTreeSet::from_iter(kinds);
    assert_eq!(kinds, BTreeSet::from(Kind::ALL));
}

/// A real claim of Aztec Connect is issued unchanged, as in the mode for files.
#[tokio::test]
async fn given_requests_are_handed_out_byte_for_byte() {
    let request = vector("valid_claim_0_request");
    let config = config(None, Arc::new(FieldsOnly));
    let falafel = Arc::new(Falafel::start(config).await.unwrap());
    let prove = |data: Bytes| {
        let falafel = Arc::clone(&falafel);
        tokio::spawn(async move { falafel.prove(data).await })
    };
    let unknown = Bytes::from_static(&[0, 0, 0, 9]);
    let (real, unknown) = (prove(request.clone()), prove(unknown));
    let worker = Worker::new(falafel.inner_address(), Suite::Pedersen);
    let frame = worker.work().await;
    assert_eq!(frame.data, request);
    assert_eq!(real.await.unwrap().unwrap(), worker.reply(&frame));
    // Data that is not an inner request goes to the outer port.
    Worker::outer(&falafel).reject("what is this?").await;
    let rejected = Rejected::Nack("what is this?".into());
    assert_eq!(unknown.await.unwrap(), Err(JobError::Rejected(rejected)));
}
