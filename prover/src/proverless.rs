//! The mock prover: replies with the true layout, length and published fields, but
//! without a proof.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use tokio::time::{Instant, sleep_until};
use zkwhirl_circuits::Suite;
use zkwhirl_job::{
    Command, Failure, Kind, Request, Sizes,
    reply::{NotVerified, ReplyShape},
};

use crate::{Phase, ProveError, ProveTask, ProveWatch, Proved, Prover, native::published_fields};

/// The text in place of a proof, which makes clear that the reply has no proof.
const NO_PROOF: &[u8] = b"zkwhirl proverless: this is not a proof. ";

/// The text in place of a verification key.
const NO_KEY: &[u8] = b"zkwhirl proverless: this is not a verification key. ";

/// The length in bytes of each verification key of the original's clients.
pub const CLIENT_VK_BYTES: usize = 1168;

/// A prover that returns replies without a proof, after a delay.
#[derive(Debug, Clone)]
pub struct Proverless {
    suite: Suite,
    sizes: Sizes,
    work: Duration,
}

impl Proverless {
    /// A prover that returns mock replies for `sizes`, each after the time `work`.
    pub fn new(suite: Suite, sizes: Sizes, work: Duration) -> Self {
        Self { suite, sizes, work }
    }

    /// Makes the mock reply; fails if the published fields cannot be computed.
    pub fn reply(&self, request: &Request) -> Result<Bytes, Failure> {
        let shape = ReplyShape::of(request.kind(), self.sizes);
        let length = shape
            .bytes
            .expect("replies to proof requests have a length");
        let fields = published_fields(request, self.suite, self.sizes)
            .map_err(|error| Failure::invalid(error.to_string()))?;
        let mut reply = BytesMut::with_capacity(length);
        for field in &fields {
            reply.put_slice(&field.0);
        }
        reply.extend(marks(NO_PROOF, length - reply.len()));
        Ok(reply.freeze())
    }

    fn answer(&self, task: &ProveTask) -> Result<Bytes, Failure> {
        task.fits(self.sizes)?;
        match task.command {
            Command::CreateProof => Request::parse(&task.request)
                .map_err(|error| Failure::invalid(error.to_string()))
                .and_then(|request| self.reply(&request)),
            Command::GetJoinSplitVk | Command::GetAccountVk => Ok(self.key()),
            other => Err(Failure::invalid(format!("{other} is no prover's job"))),
        }
    }

    /// The reply to both kinds of verification key jobs.
    pub fn key(&self) -> Bytes {
        marks(NO_KEY, CLIENT_VK_BYTES).collect()
    }

    /// Accepts `reply` if it equals the mock's reply to `request`.
    pub fn check(&self, request: &Request, reply: &Bytes) -> Result<(), NotVerified> {
        if self.reply(request).as_ref() == Ok(reply) {
            return Ok(());
        }
        let kind = request.kind();
        Err(NotVerified::refused(format_args!(
            "the reply to this {kind} job is not the mock's reply"
        )))
    }

    /// Accepts a final buffer with the true length and the mock's text in place of
    /// the proofs.
    pub fn check_final(&self, buffer: &Bytes) -> Result<(), NotVerified> {
        let shape = ReplyShape::of(Kind::RootVerifier, self.sizes);
        shape
            .check(Kind::RootVerifier, buffer)
            .map_err(NotVerified::refused)?;
        let proofs = buffer.slice(32 * shape.fields..);
        if marks(NO_PROOF, proofs.len()).eq(proofs) {
            return Ok(());
        }
        Err(NotVerified::refused(
            "the bytes after the broadcast data are not the mock's",
        ))
    }
}

/// Repeats a text up to a length in bytes.
fn marks(text: &[u8], length: usize) -> impl Iterator<Item = u8> {
    text.iter().copied().cycle().take(length)
}

#[async_trait]
impl Prover for Proverless {
    fn name(&self) -> &str {
        "proverless"
    }

    async fn prove(&mut self, task: &ProveTask, watch: &ProveWatch) -> Result<Proved, ProveError> {
        let started = Instant::now();
        watch.progress.send_replace(Phase::Prove.at(0.0));
        let worked = async {
            // The time for computing the reply counts as part of `work`, as it does
            // in a real prover.
            sleep_until(started + self.work / 2).await;
            let reply = self.answer(task);
            sleep_until(started + self.work).await;
            reply
        };
        let reply = tokio::select! {
            reply = worked => reply,
            () = watch.cancel.cancelled() => {
                Err(Failure::interrupted("the attempt was cancelled"))
            }
        };
        reply
            .map(|reply| Proved {
                reply,
                duration: started.elapsed(),
                peak_rss_bytes: None,
            })
            .map_err(|failure| ProveError::plain(failure, started.elapsed()))
    }

    async fn restart(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn self_test(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn stop(&mut self) {}
}
