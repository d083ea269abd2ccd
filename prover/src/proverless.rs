//! The mock: replies of the true layout and length, with the true published
//! fields, and no proof.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use tokio::time::Instant;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{Failure, Kind, Request, Sizes, reply::ReplyShape};

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
    pub fn reply(&self, kind: Kind, request: &Bytes) -> Result<Bytes, Failure> {
        let shape = ReplyShape::of(kind, self.sizes);
        let Some(length) = shape.bytes else {
            return Err(Failure::infrastructure(
                "there is no verification key without a prover",
            ));
        };
        let request = Request::parse(request).map_err(|e| Failure::invalid(e.to_string()))?;
        let fields = published_fields(&request, self.suite, self.sizes)
            .map_err(|error| Failure::invalid(error.to_string()))?;
        let mut reply = BytesMut::with_capacity(length);
        for field in &fields {
            reply.put_slice(&field.0);
        }
        let marks = NO_PROOF.iter().cycle().take(length - reply.len());
        reply.extend(marks);
        Ok(reply.freeze())
    }

    /// Checks a reply as far as there is anything to check.
    pub fn check(&self, kind: Kind, request: &Bytes, reply: &Bytes) -> Result<(), String> {
        if self.reply(kind, request).as_ref() == Ok(reply) {
            return Ok(());
        }
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
        tokio::select! {
            () = tokio::time::sleep(self.work) => {}
            () = watch.cancel.cancelled() => {
                let failure = Failure::interrupted("the attempt was cancelled");
                return Err(ProveError::plain(failure, started.elapsed()));
            }
        }
        self.reply(task.kind, &task.request)
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
