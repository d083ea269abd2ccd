//! The verification keys of clients: no transaction is accepted without them.

use std::time::Duration;

use zkwhirl_falafel::{Falafel, FalafelEvent, PipelineState, RollupPlan};
use zkwhirl_job::Kind;

use crate::{falafel, kind, plan, worker::Worker};

async fn with_keys() -> Falafel {
    let plan = RollupPlan {
        vks: true,
        ..plan()
    };
    falafel(plan).await
}

/// Falafel asks for the keys one after the other on the outer port. Claims are
/// issued and answered meanwhile; inner rollups have to wait.
#[tokio::test]
async fn transactions_wait_for_both_keys_and_claims_do_not() {
    let falafel = with_keys().await;
    let mut events = falafel.events();
    let (inner, outer) = (Worker::of(&falafel), Worker::outer(&falafel));
    for _ in 0..3 {
        assert_eq!(kind(&inner.work().await), Some(Kind::Claim));
    }
    let first = outer.take().await;
    assert_eq!(kind(&first), Some(Kind::JoinSplitVk));
    let mut resolved = 0;
    while resolved < 3 {
        resolved += usize::from(matches!(
            events.recv().await,
            Ok(FalafelEvent::JobResolved { refusal: None, .. })
        ));
    }
    assert_eq!(falafel.stats().created, 3 + 1);
    outer.ack(&first).await;
    let second = outer.take().await;
    assert_eq!(kind(&second), Some(Kind::AccountVk));
    assert_eq!(falafel.stats().created, 3 + 2);
    while events.try_recv().is_ok() {}
    outer.ack(&second).await;
    let _working = Worker::both(&falafel);
    assert_eq!(falafel.finished().await, PipelineState::Done);
    // The keys are asked for once a process, not once a rollup.
    let asked = falafel.stats().created;
    assert_eq!(asked, falafel.progress().verified);
    while let Ok(event) = events.try_recv() {
        if let FalafelEvent::JobCreated { kind, .. } = event {
            assert!(!matches!(kind, Some(Kind::JoinSplitVk | Kind::AccountVk)));
        }
    }
}

/// The original's process exits when a key is rejected; only a restart helps.
#[tokio::test]
async fn a_rejected_key_ends_the_process() {
    let falafel = with_keys().await;
    let outer = Worker::outer(&falafel);
    outer.reject("no key").await;
    let why = "Falafel has exited: no join-split-vk: rejected by a worker: no key";
    let exited = PipelineState::Halted(why.into());
    assert_eq!(falafel.finished().await, exited);
    falafel.interrupt();
    assert_eq!(falafel.finished().await, exited);
    falafel.restart(Duration::ZERO).await.unwrap();
    let _working = Worker::both(&falafel);
    assert_eq!(falafel.finished().await, PipelineState::Done);
}

#[tokio::test]
async fn an_interrupt_before_the_keys_are_there_ends_the_process_too() {
    let falafel = with_keys().await;
    let outer = Worker::outer(&falafel);
    outer.work().await;
    outer.take().await;
    falafel.interrupt();
    let exited = PipelineState::Halted("Falafel has exited: no account-vk: interrupted".into());
    assert_eq!(falafel.finished().await, exited);
}
