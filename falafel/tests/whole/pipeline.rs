//! Which jobs a pipeline asks for, and in which order.

use std::{sync::Arc, time::Duration};

use zkwhirl_falafel::{Falafel, FalafelEvent, FieldsOnly, PipelineState};
use zkwhirl_job::{Command, Frame, Kind, Request, reply::broadcast_bytes};

use crate::{config, falafel, kind, plan, worker::Worker};

#[tokio::test]
async fn rollups_are_settled_one_after_the_other() {
    let config = config(Some(plan()), Arc::new(FieldsOnly));
    let mut events = config.events.subscribe();
    let falafel = Falafel::start(config).await.unwrap();
    let _working = Worker::both(&falafel);
    assert_eq!(falafel.finished().await, PipelineState::Done);

    let (progress, stats) = (falafel.progress(), falafel.stats());
    assert_eq!(progress.settled, 2);
    assert!(progress.refused.is_empty() && progress.rejected.is_empty());
    // The first rollup has three claims, the second the remaining and the new
    // ones; each has two inner rollups, a root rollup and a root verifier.
    assert!(progress.verified >= 3 + 4 + 2 + 4, "{progress:?}");
    assert_eq!(stats.completions, progress.verified);
    assert_eq!((stats.reissues, stats.nacks), (0, 0));
    assert_eq!(falafel.world().unwrap().next_rollup(), 3);

    let mut seen = Vec::new();
    while let Ok(event) = events.try_recv() {
        seen.push(event);
    }
    let of = |wanted: fn(&FalafelEvent) -> bool| seen.iter().filter(|e| wanted(e)).count();
    assert_eq!(of(|e| matches!(e, FalafelEvent::RollupStarted { .. })), 2);
    assert_eq!(of(|e| matches!(e, FalafelEvent::RollupSettled { .. })), 2);
    let verified = of(|e| matches!(e, FalafelEvent::JobResolved { refusal: None, .. }));
    assert_eq!(verified as u64, progress.verified);
    let settled = FalafelEvent::RollupSettled {
        rollup_id: 2,
        inners: 2,
        txs: 3,
        final_bytes: broadcast_bytes(plan().sizes) + "no proof".len(),
        proofs: 0,
    };
    assert_eq!(seen.last(), Some(&settled));
}

/// Each phase is complete before the next begins: all claims are created at
/// once, then all inner rollups, then the root rollup, then the verifier, whose
/// request is the root rollup's whole reply.
#[tokio::test]
async fn phases_follow_each_other_and_their_jobs_come_all_at_once() {
    let falafel = falafel(plan()).await;
    let (inner, outer) = (Worker::of(&falafel), Worker::outer(&falafel));
    let mut created = 0;
    for (worker, jobs, of) in [
        (&inner, 3, Kind::Claim),
        (&inner, 2, Kind::TxRollup),
        (&outer, 1, Kind::RootRollup),
        (&outer, 1, Kind::RootVerifier),
    ] {
        let mut frames = Vec::new();
        for _ in 0..jobs {
            frames.push(worker.take().await);
        }
        created += jobs;
        assert_eq!(falafel.stats().created, created, "{of}s and no more");
        for frame in &frames {
            assert_eq!(kind(frame), Some(of));
            assert_eq!(falafel.progress().settled, 0);
            worker.ack(frame).await;
        }
    }
    // The next pipeline starts with the claims of the deposits that the
    // previous rollup settled.
    assert_eq!(kind(&inner.take().await), Some(Kind::Claim));
    assert_eq!(falafel.progress().settled, 1);
}

#[tokio::test]
async fn the_verifier_is_asked_about_the_whole_root_rollup_reply() {
    let falafel = falafel(plan()).await;
    let (inner, outer) = (Worker::of(&falafel), Worker::outer(&falafel));
    let mut replies = Vec::new();
    for _ in 0..5 {
        let frame = inner.work().await;
        if kind(&frame) == Some(Kind::TxRollup) {
            replies.push(inner.reply(&frame));
        }
    }
    let root = outer.work().await;
    let Ok(Request::RootRollup(request)) = Request::parse(&root.data) else {
        panic!("a root rollup");
    };
    assert_eq!(request.inner_proofs, replies);
    let Ok(Request::RootVerifier(verifier)) = Request::parse(&outer.take().await.data) else {
        panic!("a root verifier");
    };
    assert_eq!(verifier.root_rollup_reply, outer.reply(&root));
}

#[tokio::test]
async fn one_nack_halts_the_pipeline_until_an_interrupt() {
    let falafel = falafel(plan()).await;
    let worker = Worker::of(&falafel);
    let first = worker.reject("Proof invalid.").await;
    let halted = PipelineState::Halted("rejected by a worker: Proof invalid.".into());
    assert_eq!(falafel.finished().await, halted);
    assert_eq!(falafel.state(), halted);

    falafel.interrupt();
    assert_eq!(falafel.state(), PipelineState::Running);
    // The two sibling jobs are zombies now and are issued first; their requests
    // equal those of two of the new claims.
    for _ in 0..2 {
        let zombie = worker.work().await;
        assert_eq!(falafel.stats().tickets[&zombie.ticket].issues, 1);
    }
    let new = worker.work().await;
    assert_eq!(new.data, first.data);
    let _working = Worker::both(&falafel);
    assert_eq!(falafel.finished().await, PipelineState::Done);
}

/// Takes and answers `answered` jobs of the first rollup in the order of the
/// pipeline, then takes `left` jobs without an answer. Returns the frames.
async fn first_jobs(falafel: &Falafel, answered: usize, left: usize) -> Vec<Frame> {
    let (inner, outer) = (Worker::of(falafel), Worker::outer(falafel));
    let mut frames = Vec::new();
    for place in 0..answered + left {
        let worker = if place < 5 { &inner } else { &outer };
        let frame = worker.take().await;
        if place < answered {
            worker.ack(&frame).await;
        }
        frames.push(frame);
    }
    frames
}

/// After a restart in any phase, the unfinished jobs are created again, byte
/// for byte under new ticket ids; a late result is ignored.
#[tokio::test]
async fn a_restart_in_any_phase_asks_for_the_same_bytes_under_new_ids() {
    for (answered, left) in [(0, 3), (3, 2), (5, 1), (6, 1)] {
        let falafel = falafel(plan()).await;
        let before = first_jobs(&falafel, answered, left).await;
        falafel.restart(Duration::from_millis(20)).await.unwrap();
        let worker = Worker::of(&falafel);
        let late = before.last().unwrap();
        worker.answer(late, Command::Ack, worker.reply(late)).await;
        assert_eq!(falafel.stats().ignored, 1);
        let after = first_jobs(&falafel, answered, left).await;
        for (old, new) in before.iter().zip(&after) {
            assert!(old.data == new.data, "after {answered} answers");
            assert_ne!(old.ticket, new.ticket);
        }
        let (inner, outer) = (Worker::of(&falafel), Worker::outer(&falafel));
        for frame in &after[answered..] {
            let worker = if answered < 5 { &inner } else { &outer };
            worker.ack(frame).await;
        }
        let _working = Worker::both(&falafel);
        assert_eq!(falafel.finished().await, PipelineState::Done);
        assert_eq!(falafel.progress().settled, 2);
    }
}
