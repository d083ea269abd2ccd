//! What the demo knows about its run: fed by the events of both sides, read by
//! the live view, the plain lines and the closing table.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;
use zkwhirl_broker_adapter::{JobEvent, What};
use zkwhirl_falafel::FalafelEvent;
use zkwhirl_job::{JobId, Kind, TicketId};

use super::rollup::{Rollup, Settled, Step};
use crate::ui;

/// The run so far.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) rollups: Vec<Rollup>,
    /// The two verification keys of clients.
    pub(super) vks: Step,
    pub(super) workers: Vec<Worker>,
    pub(super) jobs: HashMap<JobId, Job>,
    /// Replies that the simulated Falafel checked and accepted.
    pub(super) accepted: u64,
    /// Replies that it refused, with the reason.
    pub(super) refused: Vec<String>,
    /// Jobs that were parked, with the reason.
    pub(super) parked: Vec<String>,
    /// The pipeline's own word for why it stopped.
    pub(super) halted: Option<String>,
    /// Falafel's open tickets.
    tickets: HashMap<TicketId, Kind>,
}

/// One worker slot.
#[derive(Debug, Default, Clone)]
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) job: Option<(JobId, Option<Kind>)>,
    pub(super) since: Option<Instant>,
    pub(super) phase: &'static str,
    pub(super) fraction: f32,
    pub(super) done: u64,
}

/// One job's times.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) kind: Option<Kind>,
    pub(super) taken: Instant,
    pub(super) claimed: Option<Instant>,
    pub(super) proved: Option<Duration>,
    pub(super) delivered: bool,
}

impl Model {
    /// A run of `workers` named slots.
    pub(super) fn new(workers: Vec<String>) -> Self {
        Self {
            rollups: Vec::new(),
            vks: Step::of(2),
            workers: workers
                .into_iter()
                .map(|name| Worker {
                    name,
                    ..Worker::default()
                })
                .collect(),
            jobs: HashMap::new(),
            accepted: 0,
            refused: Vec::new(),
            parked: Vec::new(),
            halted: None,
            tickets: HashMap::new(),
        }
    }

    /// Takes in what the simulated Falafel says; returns a line worth printing.
    pub(super) fn falafel(&mut self, event: &FalafelEvent, inners: usize) -> Option<String> {
        match event {
            FalafelEvent::RollupStarted { rollup_id, claims } => {
                self.rollups.push(Rollup::new(*rollup_id, *claims, inners));
                Some(format!(
                    "rollup {rollup_id} started: {claims} claims, {inners} inner rollups, root, verifier"
                ))
            }
            FalafelEvent::JobCreated {
                ticket,
                kind: Some(kind),
            } => {
                self.tickets.insert(*ticket, *kind);
                self.step(*kind)?.ask();
                None
            }
            FalafelEvent::JobResolved {
                ticket,
                refusal: None,
            } => {
                self.accepted += 1;
                let kind = self.tickets.remove(ticket)?;
                self.step(kind)?.accept();
                None
            }
            FalafelEvent::JobResolved {
                refusal: Some(reason),
                ..
            } => {
                self.refused.push(reason.clone());
                Some(format!("falafel refused a reply: {reason}"))
            }
            FalafelEvent::RollupSettled {
                rollup_id,
                final_bytes,
                proofs,
                ..
            } => {
                let rollup = self.rollups.iter_mut().find(|r| r.id == *rollup_id)?;
                let settled = Settled {
                    took: rollup.started.elapsed(),
                    final_bytes: *final_bytes,
                    proofs: *proofs,
                };
                rollup.settled = Some(settled);
                Some(format!("rollup {rollup_id}  {settled}"))
            }
            FalafelEvent::Ready => {
                Some("falafel has both client keys: transactions are let in".into())
            }
            FalafelEvent::PipelineHalted { reason, .. } => {
                self.halted = Some(reason.clone());
                Some(format!("falafel's pipeline halted: {reason}"))
            }
            _ => None,
        }
    }

    /// Takes in what bridge and workers say; returns a line worth printing.
    pub(super) fn job(&mut self, event: &JobEvent) -> Option<String> {
        let now = Instant::now();
        let id = event.job.short();
        let kind = event.kind.map_or("job", Kind::name);
        match &event.what {
            What::Taken { .. } => {
                self.jobs.insert(
                    event.job,
                    Job {
                        kind: event.kind,
                        taken: now,
                        claimed: None,
                        proved: None,
                        delivered: false,
                    },
                );
                None
            }
            What::Claimed { worker, attempt } => {
                if let Some(job) = self.jobs.get_mut(&event.job) {
                    job.claimed.get_or_insert(now);
                }
                let slot = self.worker(worker)?;
                slot.job = Some((event.job, event.kind));
                slot.since = Some(now);
                (slot.phase, slot.fraction) = ("claimed", 0.0);
                Some(format!("{worker} claimed {kind} {id} (attempt {attempt})"))
            }
            What::Progress {
                worker,
                phase,
                fraction,
            } => {
                let slot = self.worker(worker)?;
                (slot.phase, slot.fraction) = (phase, *fraction);
                None
            }
            What::Proved {
                worker, duration, ..
            } => {
                if let Some(job) = self.jobs.get_mut(&event.job) {
                    job.proved = Some(*duration);
                }
                let slot = self.worker(worker)?;
                slot.job = None;
                slot.done += 1;
                Some(format!(
                    "{worker} proved {kind} {id} in {}",
                    ui::seconds(*duration)
                ))
            }
            What::Retrying { worker, reason, .. } => {
                if let Some(slot) = self.worker(worker) {
                    slot.job = None;
                }
                Some(format!("{kind} {id} will be tried again: {reason}"))
            }
            What::HandedBack { worker } => {
                self.worker(worker)?.job = None;
                None
            }
            What::Dead { reason } => {
                self.parked.push(reason.clone());
                for slot in &mut self.workers {
                    if slot.job.is_some_and(|(job, _)| job == event.job) {
                        slot.job = None;
                    }
                }
                Some(format!("{kind} {id} parked: {reason}"))
            }
            What::Delivered { .. } => {
                if let Some(job) = self.jobs.get_mut(&event.job) {
                    job.delivered = true;
                }
                None
            }
            _ => None,
        }
    }

    /// True when every job that was taken is delivered or parked, and at least
    /// one is parked.
    pub(super) fn only_parked_jobs_are_left(&self) -> bool {
        let delivered = self.jobs.values().filter(|job| job.delivered).count();
        !self.parked.is_empty() && delivered + self.parked.len() >= self.jobs.len()
    }

    /// Whether an event is one that the live screen does not show.
    pub(super) fn is_trouble(event: &JobEvent) -> bool {
        matches!(event.what, What::Retrying { .. } | What::Dead { .. })
    }

    /// The step that a job of a kind belongs to: of the rollup that is made now.
    fn step(&mut self, kind: Kind) -> Option<&mut Step> {
        match kind {
            Kind::JoinSplitVk | Kind::AccountVk => Some(&mut self.vks),
            _ => self.rollups.last_mut()?.step(kind),
        }
    }

    fn worker(&mut self, name: &str) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|worker| worker.name == name)
    }

    /// Jobs of some kinds; all jobs for none.
    pub(super) fn jobs_of<'a>(&'a self, kinds: &'a [Kind]) -> impl Iterator<Item = &'a Job> {
        let wanted = |job: &&Job| kinds.is_empty() || job.kind.is_some_and(|k| kinds.contains(&k));
        self.jobs.values().filter(wanted)
    }

    /// How long the prover took for the proved jobs of some kinds, sorted.
    pub(super) fn prove_times(&self, kinds: &[Kind]) -> Vec<Duration> {
        let mut times: Vec<Duration> = self.jobs_of(kinds).filter_map(|job| job.proved).collect();
        times.sort();
        times
    }

    /// How long the claimed jobs of some kinds waited for a worker, sorted.
    pub(super) fn waits(&self, kinds: &[Kind]) -> Vec<Duration> {
        let waited = |job: &Job| Some(job.claimed? - job.taken);
        let mut waits: Vec<Duration> = self.jobs_of(kinds).filter_map(waited).collect();
        waits.sort();
        waits
    }
}

impl Worker {
    /// Whether it works on a job of this kind now.
    pub(super) fn proves(&self, kind: Kind) -> bool {
        self.job.is_some_and(|(_, of)| of == Some(kind))
    }
}

/// The value below which `percent` of a sorted list lie; `None` when empty.
pub(super) fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_few_values() {
        let sorted: Vec<_> = (1..=4).map(Duration::from_secs).collect();
        assert_eq!(percentile(&sorted, 50), Some(Duration::from_secs(2)));
        assert_eq!(percentile(&sorted, 95), Some(Duration::from_secs(4)));
        assert_eq!(percentile(&[], 50), None);
    }
}
