//! The trait through which workers use a prover.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{Command, Failure, Kind, Request, Sizes};

use crate::Meter;

/// Proves one request at a time.
#[async_trait]
pub trait Prover: Send {
    /// The prover's name in logs and receipts, for example `native/poseidon` or
    /// `proverless`.
    fn name(&self) -> &str;

    /// Proves `task` and returns the reply for Falafel.
    ///
    /// Fails with `Interrupted` when the watch's token is cancelled, and with
    /// `Prover` when the deadline passes.
    async fn prove(&mut self, task: &ProveTask, watch: &ProveWatch) -> Result<Proved, ProveError>;

    /// Discards the state that a failure may have left, and starts again.
    async fn restart(&mut self) -> Result<(), Failure>;

    /// Proves a small true statement. A slot that failed must pass this test before
    /// it claims jobs again.
    async fn self_test(&mut self) -> Result<(), Failure>;

    /// The meter of the prover's process, which also works during a proof.
    fn meter(&self) -> Meter {
        Meter::default()
    }

    /// Ends the prover; a child gets SIGTERM, a grace period, then SIGKILL.
    async fn stop(&mut self);
}

/// A job to prove.
#[derive(Debug, Clone)]
pub struct ProveTask {
    /// The kind of job.
    pub kind: Kind,
    /// The command of the job's frame.
    pub command: Command,
    /// The request; empty if the job is for a verification key.
    pub request: Bytes,
    /// The rollup sizes that the job was made for, if they are known.
    pub sizes: Option<Sizes>,
    /// The time limit; a prover that takes longer counts as hung.
    pub deadline: Duration,
}

/// Receives the progress of an attempt, and cancels the attempt.
#[derive(Debug, Clone)]
pub struct ProveWatch {
    /// The token that the caller cancels to end the attempt.
    pub cancel: CancellationToken,
    /// The channel to which the prover reports its progress.
    pub progress: watch::Sender<Progress>,
}

/// The progress of an attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The current phase.
    pub phase: Phase,
    /// The fraction of the phase that is done, 0 to 1.
    pub fraction: f32,
}

/// The phases of proving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Loading or generating the proving key.
    Key,
    /// Building the witness.
    Witness,
    /// Making the proof.
    Prove,
    /// Verifying the proof.
    Verify,
}

/// A verified reply.
#[derive(Debug, Clone)]
pub struct Proved {
    /// The reply for Falafel: published fields, then the proof.
    pub reply: Bytes,
    /// How long the attempt took.
    pub duration: Duration,
    /// The prover's peak resident memory in bytes, if it could be read.
    pub peak_rss_bytes: Option<u64>,
}

/// The failure of an attempt, with what is known about the prover's process.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{failure}")]
pub struct ProveError {
    /// The class of the failure and its reason.
    pub failure: Failure,
    /// How the prover's process ended, if it ended: `exit 1`, `signal 9`.
    pub exit: Option<String>,
    /// The end of the process's standard error, at most 4 KiB.
    pub stderr_tail: String,
    /// The process's peak resident memory in bytes, if it could be read.
    pub peak_rss_bytes: Option<u64>,
    /// How long the attempt took.
    pub duration: Duration,
}

impl ProveTask {
    /// Refuses a job of other sizes than `own`, and a malformed request: neither may
    /// reach a prover.
    ///
    /// A job of other sizes is an infrastructure failure: this worker is configured
    /// for other rollups, and another worker can prove the job. Claims have no size.
    pub fn fits(&self, own: Sizes) -> Result<(), Failure> {
        let sized = matches!(
            self.kind,
            Kind::TxRollup | Kind::RootRollup | Kind::RootVerifier
        );
        if let Some(wanted) = self.sizes.filter(|wanted| sized && *wanted != own) {
            let kind = self.kind;
            return Err(Failure::infrastructure(format!(
                "this prover is made for {own} rollups, the {kind} job for {wanted} \
                 (NUM_INNER_ROLLUP_TXS × NUM_OUTER_ROLLUP_PROOFS)"
            )));
        }
        if self.command != Command::CreateProof {
            return Ok(());
        }
        let request = Request::parse(&self.request);
        request
            .and_then(|request| request.validate(own))
            .map_err(|error| Failure::invalid(error.to_string()))
    }
}

impl ProveWatch {
    /// A watch whose progress is not read, and that is never cancelled.
    pub fn unattended() -> Self {
        Self {
            cancel: CancellationToken::new(),
            progress: watch::Sender::new(Progress::START),
        }
    }
}

impl Progress {
    /// The progress of an attempt that has just begun.
    pub const START: Self = Phase::Key.at(0.0);
}

impl Phase {
    /// The progress when `fraction` of this phase is done.
    pub(crate) const fn at(self, fraction: f32) -> Progress {
        let phase = self;
        Progress { phase, fraction }
    }

    /// The phase's name in logs and in the stdio protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Witness => "witness",
            Self::Prove => "prove",
            Self::Verify => "verify",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Key, Self::Witness, Self::Prove, Self::Verify]
            .into_iter()
            .find(|phase| phase.name() == name)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl ProveError {
    /// A failure that did not happen in a prover's process.
    pub fn plain(failure: Failure, duration: Duration) -> Self {
        Self {
            failure,
            exit: None,
            stderr_tail: String::new(),
            peak_rss_bytes: None,
            duration,
        }
    }
}
