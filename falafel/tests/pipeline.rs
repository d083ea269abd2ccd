//! The whole of it: pipelines over real sockets with an honest worker, a
//! rejecting one and a lying one.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test, as tests do"
)]

mod worker;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use worker::Worker;
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{
    Event, Falafel, FalafelConfig, FieldsOnly, Listen, Plan, ProveError, ReplyCheck, State,
    job_server::Rejected,
};
use zkwhirl_job::{Command, Kind, Request, Sizes, identify};

fn plan() -> Plan {
    Plan {
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

async fn falafel(plan: Plan) -> Falafel {
    let config = FalafelConfig::new(Some(plan), Arc::new(FieldsOnly));
    Falafel::start(config).await.unwrap()
}

#[tokio::test]
async fn rollups_are_made_to_the_end() {
    let config = FalafelConfig::new(Some(plan()), Arc::new(FieldsOnly));
    let mut events = config.events.subscribe();
    let falafel = Falafel::start(config).await.unwrap();
    let worker = Worker::of(&falafel).spawn();
    assert_eq!(falafel.finished().await, State::Done);
    worker.abort();

    let (progress, stats) = (falafel.progress(), falafel.stats());
    assert_eq!(progress.rollups, 2);
    assert_eq!(
        (&progress.refused[..], &progress.rejected[..]),
        (&[][..], &[][..])
    );
    // Three claims and two inner rollups, then what was left and what came up.
    assert!(progress.verified >= 3 + 2 + 2 + 2, "{progress:?}");
    assert_eq!(stats.completions, progress.verified);
    assert_eq!((stats.reissues, stats.nacks), (0, 0));
    assert_eq!(falafel.world().unwrap().next_rollup(), 3);

    let mut seen = Vec::new();
    while let Ok(event) = events.try_recv() {
        seen.push(event);
    }
    let of = |wanted: fn(&Event) -> bool| seen.iter().filter(|e| wanted(e)).count();
    assert_eq!(of(|e| matches!(e, Event::RollupStarted { .. })), 2);
    assert_eq!(of(|e| matches!(e, Event::RollupDone { .. })), 2);
    let verified = of(|e| matches!(e, Event::JobResolved { refusal: None, .. }));
    assert_eq!(verified as u64, progress.verified);
    let last = seen.last().unwrap();
    assert_eq!(
        *last,
        Event::RollupDone {
            rollup_id: 2,
            inners: 2,
            txs: 3
        }
    );
}

/// All claims are there before one is answered, and no inner rollup before
/// all claims are; then all inner rollups are there at once.
#[tokio::test]
async fn claims_come_first_and_all_at_once() {
    let falafel = falafel(plan()).await;
    let worker = Worker::of(&falafel);
    let mut claims = Vec::new();
    for _ in 0..3 {
        claims.push(worker.take().await);
    }
    assert_eq!(falafel.stats().created, 3);
    for claim in &claims {
        assert_eq!(identify(claim.command, &claim.data), Some(Kind::Claim));
        worker
            .answer(claim, Command::Ack, worker.reply(&claim.data))
            .await;
    }
    let inners = [worker.take().await, worker.take().await];
    for inner in &inners {
        assert_eq!(identify(inner.command, &inner.data), Some(Kind::TxRollup));
    }
    assert_eq!(falafel.stats().created, 5);
}

#[tokio::test]
async fn one_nack_halts_the_pipeline_until_an_interrupt() {
    let falafel = falafel(plan()).await;
    let worker = Worker::of(&falafel);
    let first = worker.take().await;
    worker
        .answer(&first, Command::Nack, "Proof invalid.".into())
        .await;
    let halted = State::Halted("rejected by a worker: Proof invalid.".into());
    assert_eq!(falafel.finished().await, halted);
    assert_eq!(falafel.state(), halted);

    falafel.interrupt();
    assert_eq!(falafel.state(), State::Running);
    // The two siblings are zombies now and come first; their requests are
    // those of two of the new claims.
    let zombies = [worker.work().await, worker.work().await];
    let known = falafel.stats().tickets;
    assert!(
        zombies
            .iter()
            .all(|zombie| known[&zombie.ticket].issues == 1)
    );
    let new = worker.work().await;
    assert_eq!(new.data, first.data);
    let worker = worker.spawn();
    assert_eq!(falafel.finished().await, State::Done);
    worker.abort();
}

#[tokio::test]
async fn a_reply_with_a_wrong_field_is_refused_by_its_place() {
    let falafel = falafel(plan()).await;
    let worker = Worker::of(&falafel);
    let frame = worker.take().await;
    let mut lie = BytesMut::from(&worker.reply(&frame.data)[..]);
    lie[9 * 32 + 31] ^= 1;
    worker.answer(&frame, Command::Ack, lie.freeze()).await;
    let State::Halted(reason) = falafel.finished().await else {
        panic!("it must halt")
    };
    assert!(
        reason.starts_with("the reply is refused: published field 9 is "),
        "{reason}"
    );
    assert_eq!(falafel.progress().refused.len(), 1);

    falafel.interrupt();
    worker.take().await;
    worker.take().await;
    let frame = worker.take().await;
    worker
        .answer(&frame, Command::Ack, Bytes::from_static(b"short"))
        .await;
    let short = "the reply is refused: a reply of 5 bytes is shorter than its 512 bytes of \
                 published fields";
    assert_eq!(falafel.finished().await, State::Halted(short.into()));
}

/// Refuses every proof.
#[derive(Debug)]
struct Never;

impl ReplyCheck for Never {
    fn check(&self, request: &Request, _: &Bytes) -> Result<(), String> {
        Err(format!("no proof of a {}", request.kind()))
    }
}

#[tokio::test]
async fn the_supplied_check_has_the_last_word() {
    let config = FalafelConfig::new(Some(plan()), Arc::new(Never));
    let falafel = Falafel::start(config).await.unwrap();
    Worker::of(&falafel).work().await;
    let refused = "the reply is refused: no proof of a claim";
    assert_eq!(falafel.finished().await, State::Halted(refused.into()));
}

#[tokio::test]
async fn a_restart_asks_for_the_same_bytes_under_new_ids() {
    let falafel = falafel(plan()).await;
    let worker = Worker::of(&falafel);
    let mut before = Vec::new();
    for _ in 0..3 {
        before.push(worker.take().await);
    }
    falafel.restart(Duration::from_millis(20)).await.unwrap();
    let mut after = Vec::new();
    for _ in 0..3 {
        after.push(worker.take().await);
    }
    let data = |frames: &[zkwhirl_job::Frame]| frames.iter().map(|f| f.data.clone()).collect();
    let (old, new): (Vec<Bytes>, Vec<Bytes>) = (data(&before), data(&after));
    assert_eq!(old, new);
    let tickets: BTreeSet<_> = before.iter().chain(&after).map(|f| f.ticket).collect();
    assert_eq!(tickets.len(), 6);
    // A late result is ignored, with a 200.
    worker
        .answer(&before[0], Command::Ack, worker.reply(&before[0].data))
        .await;
    assert_eq!(falafel.stats().ignored, 1);
    for frame in &after {
        worker
            .answer(frame, Command::Ack, worker.reply(&frame.data))
            .await;
    }
    let worker = worker.spawn();
    assert_eq!(falafel.finished().await, State::Done);
    worker.abort();
}

#[tokio::test]
async fn keys_are_asked_for_first_one_after_the_other_on_the_outer_port() {
    let falafel = falafel(Plan {
        vks: true,
        ..plan()
    })
    .await;
    let outer = Worker::new(falafel.outer_address().unwrap(), Suite::Poseidon, 2);
    for command in [Command::GetJoinSplitVk, Command::GetAccountVk] {
        let frame = outer.take().await;
        assert_eq!((frame.command, frame.data.len()), (command.code(), 0));
        outer
            .answer(&frame, Command::Ack, Bytes::from_static(b"key"))
            .await;
    }
    let claim = Worker::of(&falafel).take().await;
    assert_eq!(identify(claim.command, &claim.data), Some(Kind::Claim));
}

#[tokio::test]
async fn in_normal_mode_one_server_has_every_kind() {
    let mut config = FalafelConfig::new(None, Arc::new(FieldsOnly));
    config.listen = Listen::Normal(([127, 0, 0, 1], 0).into());
    let falafel = Falafel::start(config).await.unwrap();
    assert_eq!(falafel.outer_address(), None);
    let (_, key) = falafel.servers().get_account_vk();
    let worker = Worker::of(&falafel);
    let frame = worker.take().await;
    worker
        .answer(&frame, Command::Ack, Bytes::from_static(b"key"))
        .await;
    assert_eq!(key.await.unwrap(), "key");
    assert_eq!(falafel.finished().await, State::Done);
}

/// The mode for files: a real claim of Aztec Connect's goes out as it is.
#[tokio::test]
async fn given_requests_are_handed_out_byte_for_byte() {
    let path = "/../tests/vectors/valid_claim_0_request.bin";
    let path = format!("{}{path}", env!("CARGO_MANIFEST_DIR"));
    let request = Bytes::from(std::fs::read(path).unwrap());
    let config = FalafelConfig::new(None, Arc::new(FieldsOnly));
    let falafel = Arc::new(Falafel::start(config).await.unwrap());
    let prove = |data: Bytes| {
        let falafel = Arc::clone(&falafel);
        tokio::spawn(async move { falafel.prove(data).await })
    };
    let (real, unknown) = (
        prove(request.clone()),
        prove(Bytes::from_static(&[0, 0, 0, 9])),
    );
    let worker = Worker::new(falafel.inner_address(), Suite::Pedersen, 2);
    assert_eq!(worker.work().await.data, request);
    assert_eq!(real.await.unwrap().unwrap(), worker.reply(&request));
    // What is no inner request goes to the outer port.
    let outer = Worker::new(falafel.outer_address().unwrap(), Suite::Pedersen, 2);
    let frame = outer.take().await;
    outer
        .answer(&frame, Command::Nack, "what is this?".into())
        .await;
    let rejected = Rejected::Nack("what is this?".into());
    assert_eq!(unknown.await.unwrap(), Err(ProveError::Rejected(rejected)));
}
