//! Replies and final buffers that are not what they should be.

use bytes::{Bytes, BytesMut};
use zkwhirl_falafel::{Falafel, FinalVerifier, PipelineState, ReplyCheck};
use zkwhirl_job::{
    Command, Kind, Request,
    reply::{NotVerified, broadcast_bytes},
};

use crate::{config, falafel, plan, worker::Worker};

#[tokio::test]
async fn a_reply_with_a_wrong_field_is_refused_by_its_place() {
    let falafel = falafel(plan()).await;
    let worker = Worker::of(&falafel);
    let frame = worker.take().await;
    let mut lie = BytesMut::from(&worker.reply(&frame)[..]);
    lie[9 * 32 + 31] ^= 1;
    worker.answer(&frame, Command::Ack, lie.freeze()).await;
    let PipelineState::Halted(reason) = falafel.finished().await else {
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
    assert_eq!(
        falafel.finished().await,
        PipelineState::Halted(short.into())
    );
}

/// Refuses every proof.
#[derive(Debug)]
struct Never;

impl ReplyCheck for Never {
    fn check(&self, request: &Request, _: &Bytes) -> Result<(), NotVerified> {
        Err(NotVerified::refused(format!(
            "no proof of a {}",
            request.kind()
        )))
    }
}

impl FinalVerifier for Never {
    fn verify(&self, _: &Bytes) -> Result<usize, NotVerified> {
        Ok(0)
    }
}

#[tokio::test]
async fn the_supplied_check_has_the_last_word() {
    let config = config(Some(plan()), Never);
    let falafel = Falafel::start(config).await.unwrap();
    Worker::of(&falafel).work().await;
    let refused = "the reply is refused: no proof of a claim";
    assert_eq!(
        falafel.finished().await,
        PipelineState::Halted(refused.into())
    );
}

/// Accepts every reply and no final buffer.
#[derive(Debug)]
struct NotTheEnd;

impl ReplyCheck for NotTheEnd {
    fn check(&self, _: &Request, _: &Bytes) -> Result<(), NotVerified> {
        Ok(())
    }
}

impl FinalVerifier for NotTheEnd {
    fn verify(&self, buffer: &Bytes) -> Result<usize, NotVerified> {
        let tail = &buffer[broadcast_bytes(plan().sizes)..];
        let tail = String::from_utf8_lossy(tail);
        Err(NotVerified::refused(format!("{tail} proves nothing")))
    }
}

#[tokio::test]
async fn a_final_buffer_that_proves_nothing_settles_nothing() {
    let config = config(Some(plan()), NotTheEnd);
    let falafel = Falafel::start(config).await.unwrap();
    let _working = Worker::both(&falafel);
    let refused = "the reply is refused: the final buffer: no proof proves nothing";
    assert_eq!(
        falafel.finished().await,
        PipelineState::Halted(refused.into())
    );
    assert_eq!(falafel.progress().settled, 0);
    assert_eq!(falafel.world().unwrap().next_rollup(), 1);
}

/// A word that the root rollup's or the verifier's reply changes is named.
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
        let PipelineState::Halted(reason) = falafel.finished().await else {
            panic!("it must halt")
        };
        let start =
            format!("the reply is refused: {name} (word {place} of the broadcast data) is ");
        assert!(reason.starts_with(&start), "{reason}");
        assert_eq!(falafel.progress().settled, 0);
    }
}
