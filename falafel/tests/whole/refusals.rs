//! Refused replies and final buffers.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use zkwhirl_falafel::{Falafel, PipelineState, ReplyCheck};
use zkwhirl_job::{
    Command, Kind, Request,
    reply::{NotVerified, broadcast_bytes},
};

use crate::{config, falafel, plan, worker::Worker};

/// Waits until the pipeline halts and returns the reason.
async fn halted(falafel: &Falafel) -> String {
    match falafel.finished().await {
        PipelineState::Halted(reason) => reason,
        state => panic!("the pipeline must halt, but is: {state:?}"),
    }
}

#[tokio::test]
async fn a_reply_with_a_wrong_field_is_refused_by_its_place() {
    let falafel = falafel(plan()).await;
    let worker = Worker::of(&falafel);
    let frame = worker.take().await;
    let mut lie = BytesMut::from(&worker.reply(&frame)[..]);
    lie[9 * 32 + 31] ^= 1;
    worker.answer(&frame, Command::Ack, lie.freeze()).await;
    let reason = halted(&falafel).await;
    let start = "the reply was refused: published field 9 is ";
    assert!(reason.starts_with(start), "{reason}");
    assert_eq!(falafel.progress().refused.len(), 1);

    falafel.interrupt();
    worker.take().await;
    worker.take().await;
    let frame = worker.take().await;
    worker.answer(&frame, Command::Ack, "short".into()).await;
    let short = "the reply was refused: a reply of 5 bytes is shorter than its 512 bytes of \
                 published fields";
    assert_eq!(halted(&falafel).await, short);
}

/// Refuses every final buffer, and every reply if `claims` is set.
#[derive(Debug)]
struct Refusing {
    claims: bool,
}

impl ReplyCheck for Refusing {
    fn check(&self, request: &Request, _: &Bytes) -> Result<(), NotVerified> {
        let why = format!("no proof of a {}", request.kind());
        match self.claims {
            true => Err(NotVerified::refused(why)),
            false => Ok(()),
        }
    }

    fn check_final(&self, buffer: &Bytes) -> Result<usize, NotVerified> {
        let tail = &buffer[broadcast_bytes(plan().sizes)..];
        let tail = String::from_utf8_lossy(tail);
        Err(NotVerified::refused(format!("{tail} proves nothing")))
    }
}

/// The supplied check can refuse a reply, and a refused final buffer settles no
/// rollup.
#[tokio::test]
async fn what_the_supplied_verifier_refuses_is_refused() {
    for (claims, why) in [
        (true, "no proof of a claim"),
        (false, "the final buffer: no proof proves nothing"),
    ] {
        let config = config(Some(plan()), Arc::new(Refusing { claims }));
        let falafel = Falafel::start(config).await.unwrap();
        let _working = Worker::both(&falafel);
        assert_eq!(
            halted(&falafel).await,
            format!("the reply was refused: {why}")
        );
        assert_eq!(falafel.progress().settled, 0);
        assert_eq!(falafel.world().unwrap().next_rollup(), 1);
    }
}

/// The error names a word that the root rollup's or verifier's reply changes.
#[tokio::test]
async fn a_false_public_input_in_a_final_buffer_is_refused_by_name() {
    for (kind, place, name) in [
        (Kind::RootRollup, 4, "new data root"),
        (Kind::RootVerifier, 140, "rollup beneficiary"),
    ] {
        let falafel = falafel(plan()).await;
        let (inner, outer) = (Worker::of(&falafel), Worker::outer(&falafel));
        for _ in 0..5 {
            inner.work().await;
        }
        let mut frame = outer.take().await;
        if kind == Kind::RootVerifier {
            outer.ack(&frame).await;
            frame = outer.take().await;
        }
        let mut lie = BytesMut::from(&outer.reply(&frame)[..]);
        lie[32 * place + 31] ^= 1;
        outer.answer(&frame, Command::Ack, lie.freeze()).await;
        let reason = halted(&falafel).await;
        let start =
            format!("the reply was refused: {name} (word {place} of the broadcast data) is ");
        assert!(reason.starts_with(&start), "{reason}");
        assert_eq!(falafel.progress().settled, 0);
    }
}
