//! Whole rollups: claims, inner rollups, root rollup, root verifier, settled.

use std::{collections::HashSet, time::Duration};

use zkwhirl::cluster::Provers;
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::FalafelEvent;
use zkwhirl_job::{Kind, Sizes, reply::ReplyShape};
use zkwhirl_ledger::{JobEvent, JobEventKind};

use crate::stage::{Scene, Stage, native, plan, proverless};

async fn stage(provers: Provers, slots: usize, claims: usize, rollups: u32) -> Stage {
    let size = provers.rollups();
    let scene = Scene {
        slots,
        plan: Some(plan(size.suite, size.sizes, claims, rollups)),
        ..Scene::of(provers)
    };
    scene.start().await
}

/// Proves three rollups of 4 inner rollups; the second and the third begin with
/// claims on the previous rollup's deposits. Returns what Falafel settled.
async fn three_rollups(provers: Provers) -> Vec<FalafelEvent> {
    let stage = stage(provers, 2, 2, 3).await;
    stage.until_settled().await;
    assert_eq!(stage.falafel.progress().settled, 3);
    let events = stage.pipeline.all();
    let claims = events.iter().filter_map(|event| match event {
        FalafelEvent::RollupStarted { claims, .. } => Some(*claims),
        _ => None,
    });
    let claims: Vec<_> = claims.collect();
    assert_eq!((claims.len(), claims[0]), (3, 2));
    assert!(claims[1] > 0 && claims[2] > 0, "{claims:?}");
    for (kind, jobs) in [
        (Kind::JoinSplitVk, 1),
        (Kind::AccountVk, 1),
        (Kind::TxRollup, 12),
        (Kind::RootRollup, 3),
        (Kind::RootVerifier, 3),
    ] {
        let own = |event: &&FalafelEvent| matches!(event, FalafelEvent::JobCreated { kind: Some(of), .. } if *of == kind);
        assert_eq!(events.iter().filter(own).count(), jobs, "{kind}");
    }
    stage.falafel_noticed_nothing();
    stage.end().await;
    let mut settled = events;
    settled.retain(|event| matches!(event, FalafelEvent::RollupSettled { .. }));
    settled
}

#[tokio::test(flavor = "multi_thread")]
async fn three_rollups_settle_with_claims_of_the_rollup_before() {
    let sizes = Sizes::new(1, 4).unwrap();
    let shape = ReplyShape::of(Kind::RootVerifier, sizes);
    let settled = three_rollups(proverless(Suite::Poseidon, 1, 4, Duration::ZERO)).await;
    let expected = [1, 2, 3].map(|rollup_id| FalafelEvent::RollupSettled {
        rollup_id,
        inners: 4,
        txs: 4,
        final_bytes: shape.bytes.unwrap(),
        proofs: 0,
    });
    assert_eq!(settled, expected);
}

/// A Falafel that restarts while the root rollup is proved requests all jobs again:
/// all proofs except the root rollup's are stored already.
#[tokio::test(flavor = "multi_thread")]
async fn a_falafel_restarted_in_the_root_phase_gets_everything_before_at_once() {
    let provers = proverless(Suite::Poseidon, 1, 4, Duration::from_millis(700));
    let stage = stage(provers, 2, 2, 1).await;
    let claimed = |event: &JobEvent| matches!(event.what, JobEventKind::Claimed { .. });
    stage
        .until_kind(Kind::RootRollup, "is claimed", claimed)
        .await;
    let before = stage.falafel.progress().verified;
    assert_eq!(before, 2 + 2 + 4, "keys, claims, inner rollups");
    let restarted = stage.falafel.restart(Duration::from_millis(100));
    restarted.await.unwrap();
    stage.until_settled().await;
    assert_eq!(stage.falafel.progress().settled, 1);
    let jobs = stage.happened(|event| claimed(&event).then_some(event.job));
    assert_eq!(jobs.len(), 2 + 2 + 4 + 2, "each is claimed once");
    let all: HashSet<_> = jobs.iter().collect();
    assert_eq!(all.len(), 10, "no request was another one: {jobs:?}");
    assert_eq!(stage.falafel.stats().nacks, 0);
    stage.end().await;
}

/// Every proof is real and is in the final buffer, from which Falafel verifies it:
/// the root rollup's, one per inner rollup, and one per transaction (a user's or a
/// claim's). The test counts Falafel's requests and the proofs in the buffers, not
/// attempts, because a job may be proved twice on a busy machine.
#[tokio::test(flavor = "multi_thread")]
async fn three_rollups_settle_with_real_proofs() {
    let settled = three_rollups(Provers::Native(native(Suite::Poseidon, 1, 4))).await;
    assert_eq!(settled.len(), 3);
    for event in settled {
        let FalafelEvent::RollupSettled { txs, proofs, .. } = event else {
            panic!("{event:?}");
        };
        assert_eq!((txs, proofs), (4, 1 + 4 + 4));
    }
}

/// The prover of the root rollup dies; another attempt proves the rollup, and
/// Falafel gets no NACK.
#[tokio::test(flavor = "multi_thread")]
async fn a_prover_killed_in_the_root_phase_costs_an_attempt() {
    let provers = Provers::Native(native(Suite::Poseidon, 1, 1));
    let stage = stage(provers, 1, 1, 1).await;
    let proves = |event: &JobEvent| matches!(event.what, JobEventKind::Progress { .. });
    stage
        .until_kind(Kind::RootRollup, "is being proved", proves)
        .await;
    stage.kill_provers();
    stage.until_settled().await;
    assert_eq!(stage.attempts_of(Kind::RootRollup), [1, 2]);
    stage.falafel_noticed_nothing();
    stage.end().await;
}
