//! Asks for jobs, waits for their answers and checks the replies.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;
use zkwhirl_job::{
    Kind, Request, TicketId,
    reply::NotVerified,
    request::{RootRollupRequest, RootVerifierRequest},
};

use super::{FalafelParts, JobError, Pipeline, ReplyCheck, blocking, check::Must};
use crate::{
    FalafelEvent,
    job_server::JobAnswer,
    locked::locked,
    world::{ClaimJob, ExpectedBroadcast, InnerJob},
};

/// A job with the requirements on its reply.
pub(super) struct Asked {
    kind: Kind,
    data: Bytes,
    request: Option<Request>,
    must: Must,
}

impl Asked {
    pub(super) fn key(kind: Kind) -> Self {
        Self {
            kind,
            data: Bytes::new(),
            request: None,
            must: Must::Key(kind),
        }
    }

    pub(super) fn claim(job: ClaimJob) -> Self {
        let request = Request::Claim(Box::new(job.request));
        Self::proof(request, Must::Fields(job.published))
    }

    pub(super) fn inner(job: InnerJob) -> Self {
        let request = Request::TxRollup(Box::new(job.request));
        Self::proof(request, Must::Fields(job.published))
    }

    pub(super) fn root(request: RootRollupRequest, broadcast: &ExpectedBroadcast) -> Self {
        let request = Request::RootRollup(Box::new(request));
        Self::proof(request, Must::Broadcast(broadcast.clone()))
    }

    /// The root verifier's job, whose request is the whole reply to the root rollup.
    pub(super) fn verifier(root_rollup_reply: Bytes, broadcast: &ExpectedBroadcast) -> Self {
        let request = Request::RootVerifier(Box::new(RootVerifierRequest { root_rollup_reply }));
        Self::proof(request, Must::Broadcast(broadcast.clone()))
    }

    fn proof(request: Request, must: Must) -> Self {
        Self {
            kind: request.kind(),
            data: request.to_bytes(),
            request: Some(request),
            must,
        }
    }

    /// Checks the fields by the world's state, then the proof by `check`.
    fn check(&self, reply: &Bytes, check: &dyn ReplyCheck) -> Result<(), NotVerified> {
        self.must.check(reply)?;
        match &self.request {
            Some(request) => check.check(request, reply),
            None => Ok(()),
        }
    }
}

impl Pipeline {
    /// Asks for all jobs at once and returns all replies in order. The first
    /// failure ends the wait; the other jobs' proofs are then unused.
    pub(super) async fn prove_all(
        &self,
        jobs: impl IntoIterator<Item = Asked>,
    ) -> Result<Vec<Bytes>, JobError> {
        let mut replies = Vec::new();
        let mut waiting = JoinSet::new();
        for (place, job) in jobs.into_iter().enumerate() {
            replies.push(Bytes::new());
            let (ticket, answer) = self.parts.servers.create(job.kind, job.data.clone());
            let parts = Arc::clone(&self.parts);
            waiting.spawn(async move { (place, parts.checked(job, ticket, answer).await) });
        }
        while let Some(done) = waiting.join_next().await {
            let (place, reply) = done.expect("a task that waits for an answer does not panic");
            replies[place] = reply.inspect_err(|error| self.count(error))?;
            locked(&self.progress).verified += 1;
        }
        Ok(replies)
    }

    /// Asks for the proof of one job and returns the checked reply.
    pub(super) async fn prove_one(&self, job: Asked) -> Result<Bytes, JobError> {
        let mut replies = self.prove_all([job]).await?;
        Ok(replies.swap_remove(0))
    }

    fn count(&self, error: &JobError) {
        let mut progress = locked(&self.progress);
        match error {
            JobError::Rejected(why) => progress.rejected.push(why.to_string()),
            JobError::Refused(why) => progress.refused.push(why.to_string()),
            JobError::Clients(_) | JobError::Exited(_) => {}
        }
    }
}

impl FalafelParts {
    /// Waits for an answer, checks it and returns it.
    async fn checked(
        &self,
        job: Asked,
        ticket: TicketId,
        answer: JobAnswer,
    ) -> Result<Bytes, JobError> {
        let reply = answer.await?;
        let check = Arc::clone(&self.check);
        let (reply, verdict) = blocking(move || {
            let verdict = job.check(&reply, &*check);
            (reply, verdict)
        })
        .await;
        let refusal = verdict.as_ref().err().map(NotVerified::to_string);
        self.emit(FalafelEvent::JobResolved { ticket, refusal });
        verdict.map(|()| reply).map_err(JobError::Refused)
    }

    /// Asks for the proof of any request; checks the reply as far as the request allows.
    pub(crate) async fn prove(&self, data: Bytes) -> Result<Bytes, JobError> {
        let request = Request::parse(&data).ok();
        let (ticket, answer) = self.servers.create_proof(data.clone());
        let Some(request) = request else {
            return Ok(answer.await?);
        };
        let job = Asked {
            data,
            ..Asked::proof(request, Must::Fields(Vec::new()))
        };
        self.checked(job, ticket, answer).await
    }
}
