//! The mock: replies of the true layout and length, with the true published
//! fields, and no proof.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use tokio::time::{Instant, sleep_until};
use zkwhirl_circuits::Suite;
use zkwhirl_job::{Command, Failure, Request, Sizes, reply::ReplyShape};

use crate::{
    Phase, Progress, ProveError, ProveTask, ProveWatch, Proved, Prover, native::published_fields,
};

/// What stands where a proof would: nobody shall take it for one.
const NO_PROOF: &[u8] = b"zkwhirl proverless: this is not a proof. ";

/// A prover that proves nothing, after a delay.
#[derive(Debug, Clone)]
pub struct Proverless {
    suite: Suite,
    sizes: Sizes,
    work: Duration,
}

impl Proverless {
    /// Mock replies at `sizes`, each after `work`.
    pub fn new(suite: Suite, sizes: Sizes, work: Duration) -> Self {
        Self { suite, sizes, work }
    }

    /// The reply to a request.
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
        let marks = NO_PROOF.iter().cycle().take(length - reply.len());
        reply.extend(marks);
        Ok(reply.freeze())
    }

    fn answer(&self, task: &ProveTask) -> Result<Bytes, Failure> {
        match task.command {
            Command::CreateProof => Request::parse(&task.request)
                .map_err(|error| Failure::invalid(error.to_string()))
                .and_then(|request| self.reply(&request)),
            _ => Err(Failure::infrastructure(
                "there is no verification key without a prover",
            )),
        }
    }

    /// Accepts exactly the mock's own reply.
    pub fn check(&self, request: &Request, reply: &Bytes) -> Result<(), String> {
        if self.reply(request).as_ref() == Ok(reply) {
            return Ok(());
        }
        let kind = request.kind();
        Err(format!("the reply to this {kind} job is not the mock's"))
    }
}

#[async_trait]
impl Prover for Proverless {
    fn name(&self) -> &str {
        "proverless"
    }

    async fn prove(&mut self, task: &ProveTask, watch: &ProveWatch) -> Result<Proved, ProveError> {
        let started = Instant::now();
        watch.progress.send_replace(Progress {
            phase: Phase::Prove,
            fraction: 0.0,
        });
        let worked = async {
            // What the mock computes is part of its work, as it is with a
            // prover, and does not come on top of it.
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
