//! A rollup as the demo follows it: five steps, each with its jobs.

use std::{fmt, time::Duration};

use tokio::time::Instant;
use zkwhirl_job::Kind;

use crate::ui;

/// One rollup of the pipeline.
#[derive(Debug)]
pub(super) struct Rollup {
    pub(super) id: u32,
    pub(super) started: Instant,
    pub(super) settled: Option<Settled>,
    pub(super) claims: Step,
    pub(super) inners: Step,
    pub(super) root: Step,
    pub(super) verifier: Step,
}

/// How a rollup ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    pub(super) took: Duration,
    pub(super) final_bytes: usize,
    pub(super) proofs: usize,
}

/// Jobs of one kind that Falafel asks for at once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Step {
    pub(super) done: usize,
    pub(super) of: usize,
    /// Jobs that were asked for so far.
    asked: usize,
    started: Option<Instant>,
    took: Option<Duration>,
}

impl Rollup {
    /// A rollup that starts with `claims` and has `inners` inner rollups.
    pub(super) fn new(id: u32, claims: usize, inners: usize) -> Self {
        Self {
            id,
            started: Instant::now(),
            settled: None,
            claims: Step::of(claims),
            inners: Step::of(inners),
            root: Step::of(1),
            verifier: Step::of(1),
        }
    }

    /// The step that jobs of a kind belong to.
    pub(super) fn step(&mut self, kind: Kind) -> Option<&mut Step> {
        match kind {
            Kind::Claim => Some(&mut self.claims),
            Kind::TxRollup => Some(&mut self.inners),
            Kind::RootRollup => Some(&mut self.root),
            Kind::RootVerifier => Some(&mut self.verifier),
            Kind::JoinSplitVk | Kind::AccountVk => None,
        }
    }
}

impl Step {
    /// A step of `of` jobs.
    pub(super) fn of(of: usize) -> Self {
        Self {
            of,
            ..Self::default()
        }
    }

    /// One more job was asked for.
    pub(super) fn ask(&mut self) {
        self.started.get_or_insert_with(Instant::now);
        self.asked += 1;
        self.of = self.of.max(self.asked);
    }

    /// One more reply was accepted.
    pub(super) fn accept(&mut self) {
        self.done += 1;
        if self.is_done() {
            self.took = self.started.map(|started| started.elapsed());
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done >= self.of
    }

    pub(super) fn has_started(&self) -> bool {
        self.started.is_some()
    }

    /// How long all of it took, once it is done.
    pub(super) fn took(&self) -> Option<Duration> {
        self.took
    }

    pub(super) fn left(&self) -> usize {
        self.of.saturating_sub(self.done)
    }
}

impl fmt::Display for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (took, bytes) = (ui::seconds(self.took), ui::grouped(self.final_bytes as u64));
        write!(f, "settled in {took} · final buffer {bytes} B · ")?;
        match self.proofs {
            0 => f.write_str("every public input checked by Falafel"),
            proofs => write!(
                f,
                "every public input and all {proofs} proofs in it checked by Falafel"
            ),
        }
    }
}
