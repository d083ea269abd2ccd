//! What happened to the last jobs, in memory: their steps, and their runs on
//! workers with the prover's phases. For views alone; the ledger has the truth.

use std::collections::{HashMap, VecDeque};

use zkwhirl_job::{JobId, Kind, Topic};

use super::views::{Phase, Run, Step};
use zkwhirl_ledger::{
    LedgerEvent, SlotReport,
    events::{JobEvent, What},
};

/// Jobs that are remembered: four of Falafel's largest rollups.
const JOBS: usize = 8_192;
/// Steps and runs of one job: the first stay, then the last.
const STEPS: usize = 96;
const RUNS: usize = 32;

/// What is remembered of the last jobs.
#[derive(Debug, Default)]
pub(super) struct Chronicle {
    lives: HashMap<JobId, Life>,
    /// Jobs in the order of their first step.
    order: VecDeque<JobId>,
}

/// What is remembered of one job.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) kind: Option<Kind>,
    pub(super) rollup_id: Option<u32>,
    pub(super) steps: Vec<Step>,
    pub(super) runs: Vec<Run>,
}

/// Who has a job, in which attempt.
struct Hand<'a> {
    worker: Option<&'a str>,
    attempt: Option<u32>,
}

impl Chronicle {
    /// All jobs, in the order of their first step.
    pub(super) fn lives(&self) -> impl DoubleEndedIterator<Item = (JobId, &Life)> {
        let life = |job: &JobId| Some((*job, self.lives.get(job)?));
        self.order.iter().filter_map(life)
    }

    pub(super) fn life(&self, job: JobId) -> Option<&Life> {
        self.lives.get(&job)
    }

    /// Jobs whose kind nobody has said yet.
    pub(super) fn nameless(&self) -> Vec<JobId> {
        let without = self.lives().filter(|(_, life)| life.kind.is_none());
        without.map(|(job, _)| job).collect()
    }

    pub(super) fn name(&mut self, job: JobId, kind: Option<Kind>, rollup_id: Option<u32>) {
        if let Some(life) = self.lives.get_mut(&job) {
            life.kind = kind.or(life.kind);
            life.rollup_id = rollup_id.or(life.rollup_id);
        }
    }

    fn of(&mut self, job: JobId) -> &mut Life {
        if !self.lives.contains_key(&job) {
            self.order.push_back(job);
            if self.order.len() > JOBS
                && let Some(oldest) = self.order.pop_front()
            {
                self.lives.remove(&oldest);
            }
        }
        self.lives.entry(job).or_default()
    }

    /// Takes in what this process says.
    pub(super) fn hear(&mut self, event: &JobEvent) {
        let life = self.of(event.job);
        life.kind = event.kind.or(life.kind);
        life.rollup_id = event.rollup_id.or(life.rollup_id);
        if let What::Progress {
            worker,
            phase,
            fraction,
        } = &event.what
        {
            life.progress(worker, phase, *fraction, event.at_ms);
            return;
        }
        let (worker, attempt, text) = told(&event.what);
        let hand = Hand {
            worker: worker.as_deref(),
            attempt,
        };
        life.step(event.at_ms, event.what.name(), &hand, text);
    }

    /// Takes in what the ledger says.
    pub(super) fn read(&mut self, event: &LedgerEvent) {
        let Some(job) = event.job else {
            return;
        };
        if matches!(event.what.as_str(), "closed" | "result" | "forgotten") {
            return;
        }
        let detail = |name: &str| event.detail.get(name).cloned();
        let text = detail("reason").or_else(|| detail("upstream"));
        let worker = detail("worker");
        let hand = Hand {
            worker: worker.as_deref(),
            attempt: detail("attempt").and_then(|attempt| attempt.parse().ok()),
        };
        self.of(job).step(event.at_ms, &event.what, &hand, text);
    }

    /// Takes in what a slot says; false: it has no job that is known.
    pub(super) fn see(&mut self, slot: &SlotReport) {
        let Some(life) = slot.job.and_then(|job| self.lives.get_mut(&job)) else {
            return;
        };
        life.kind = slot.kind.or(life.kind);
        if !slot.phase.is_empty() {
            life.progress(&slot.slot, &slot.phase, slot.fraction, slot.at_ms);
        }
    }

    /// Jobs of a topic with a step of a name since a moment.
    pub(super) fn count(&self, topic: Topic, what: &str, since_ms: u64) -> usize {
        let lives = self.lives().map(|(_, life)| life);
        let own = lives.filter(|life| life.kind.is_some_and(|kind| kind.topic() == topic));
        let has = |life: &&Life| {
            let mut late = life.steps.iter().rev();
            late.any(|step| step.what == what && step.at_ms >= since_ms)
        };
        own.filter(has).count()
    }
}

impl Life {
    pub(super) fn has(&self, what: &str) -> Option<&Step> {
        self.steps.iter().rev().find(|step| step.what == what)
    }

    /// What it is now: the last step that is a state.
    pub(super) fn is_proved(&self) -> bool {
        let ends = ["proved", "delivered", "unverified", "retrying", "replayed"];
        let last = self.steps.iter().rev();
        let mut last = last.filter(|step| ends.contains(&step.what.as_str()));
        last.next()
            .is_some_and(|step| matches!(step.what.as_str(), "proved" | "delivered"))
    }

    pub(super) fn is_dead(&self) -> bool {
        let after = ["replayed", "taken", "proved", "delivered", "rejected"];
        let mut last = self.steps.iter().rev();
        let last = last.find(|step| step.what == "dead" || after.contains(&step.what.as_str()));
        last.is_some_and(|step| step.what == "dead")
    }

    fn step(&mut self, at_ms: u64, what: &str, hand: &Hand<'_>, text: Option<String>) {
        let repeated = |last: &Step| last.what == what && last.attempt == hand.attempt;
        if what == "proved" && self.steps.last().is_some_and(repeated) {
            return;
        }
        if self.steps.len() >= STEPS {
            self.steps.remove(STEPS / 2);
        }
        self.steps.push(Step {
            at_ms,
            what: what.to_owned(),
            attempt: hand.attempt,
            worker: hand.worker.map(str::to_owned),
            text,
        });
        match what {
            "claimed" => {
                // Nobody gave it back: its worker, or the way to it, is gone.
                self.close(at_ms, "lost");
                if self.runs.len() >= RUNS {
                    self.runs.remove(RUNS / 2);
                }
                self.runs.push(Run {
                    worker: hand.worker.unwrap_or_default().to_owned(),
                    attempt: hand.attempt.unwrap_or(1),
                    from_ms: at_ms,
                    outcome: "running".to_owned(),
                    ..Run::default()
                });
            }
            "proved" => self.close(at_ms, "proved"),
            "retrying" | "dead" => self.close(at_ms, "failed"),
            "queued" | "handed-back" | "republished" => self.close(at_ms, "handed-back"),
            "rejected" | "withdrawn" => self.close(at_ms, "called-off"),
            "unverified" => {
                if let Some(run) = self.runs.last_mut() {
                    "unverified".clone_into(&mut run.outcome);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, at_ms: u64, outcome: &str) {
        let Some(run) = self.runs.last_mut().filter(|run| run.to_ms.is_none()) else {
            return;
        };
        run.to_ms = Some(at_ms.max(run.from_ms));
        outcome.clone_into(&mut run.outcome);
        if let Some(phase) = run.phases.last_mut() {
            phase.to_ms = phase.to_ms.max(at_ms);
        }
    }

    fn progress(&mut self, worker: &str, phase: &str, fraction: f32, at_ms: u64) {
        let open = |run: &&mut Run| run.to_ms.is_none() && run.worker == worker;
        let Some(run) = self.runs.last_mut().filter(open) else {
            return;
        };
        run.fraction = fraction;
        if let Some(last) = run.phases.last_mut() {
            last.to_ms = last.to_ms.max(at_ms);
            if last.name == phase {
                return;
            }
        }
        if run.phases.len() < RUNS {
            run.phases.push(Phase {
                name: phase.to_owned(),
                from_ms: at_ms,
                to_ms: at_ms,
            });
        }
    }
}

/// What an event tells beside its name: worker, attempt, more.
fn told(what: &What) -> (Option<String>, Option<u32>, Option<String>) {
    match what.clone() {
        What::Taken { upstream, .. } | What::Joined { upstream, .. } => {
            (None, None, Some(upstream))
        }
        What::Queued { attempt } => (None, Some(attempt), None),
        What::Claimed { worker, attempt } => (Some(worker), Some(attempt), None),
        What::Progress { worker, .. } | What::HandedBack { worker } => (Some(worker), None, None),
        What::Retrying {
            worker,
            attempt,
            class,
            reason,
        } => (
            Some(worker),
            Some(attempt),
            Some(format!("{class}: {reason}")),
        ),
        What::Dead { reason } | What::Rejected { reason } => (None, None, Some(reason)),
        What::Proved {
            worker,
            attempt,
            reply_bytes,
            ..
        } => {
            let text = format!("a reply of {reply_bytes} bytes");
            (Some(worker), Some(attempt), Some(text))
        }
        What::Unverified { worker, reason } => (Some(worker), None, Some(reason)),
        What::Delivered { .. } | What::Replayed | What::Withdrawn | What::Republished => {
            (None, None, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use zkwhirl_job::FailureClass;

    use super::*;

    fn event(at_ms: u64, what: What) -> JobEvent {
        JobEvent {
            at_ms,
            job: JobId([7; 32]),
            kind: Some(Kind::TxRollup),
            rollup_id: Some(3),
            what,
        }
    }

    fn claimed(worker: &str, attempt: u32) -> What {
        What::Claimed {
            worker: worker.into(),
            attempt,
        }
    }

    fn progress(worker: &str, phase: &'static str, fraction: f32) -> What {
        What::Progress {
            worker: worker.into(),
            phase,
            fraction,
        }
    }

    #[test]
    fn a_job_s_life_is_its_steps_and_its_runs_with_their_phases() {
        let mut chronicle = Chronicle::default();
        for (at, what) in [
            (10, claimed("a", 1)),
            (12, progress("a", "witness", 0.5)),
            (20, progress("a", "prove", 0.1)),
            (
                30,
                What::Retrying {
                    worker: "a".into(),
                    attempt: 1,
                    class: FailureClass::Prover,
                    reason: "signal 9".into(),
                },
            ),
            (40, claimed("b", 2)),
            (41, progress("a", "verify", 1.0)),
            (42, progress("b", "prove", 0.2)),
        ] {
            chronicle.hear(&event(at, what));
        }
        let life = chronicle.life(JobId([7; 32])).unwrap();
        let steps: Vec<_> = life.steps.iter().map(|step| step.what.as_str()).collect();
        assert_eq!(steps, ["claimed", "retrying", "claimed"]);
        assert_eq!(
            life.steps[1].text.as_deref(),
            Some("prover: signal 9"),
            "the failure is told"
        );
        let [first, second] = &life.runs[..] else {
            panic!("two runs")
        };
        assert_eq!((first.to_ms, first.outcome.as_str()), (Some(30), "failed"));
        let phases: Vec<_> = first.phases.iter().collect();
        assert_eq!(phases[0].to_ms, 20, "a phase ends where the next begins");
        assert_eq!((phases[1].name.as_str(), phases[1].to_ms), ("prove", 30));
        assert_eq!((second.to_ms, second.outcome.as_str()), (None, "running"));
        assert_eq!(
            second.phases.len(),
            1,
            "a late word of another worker is none"
        );
        assert!(!life.is_proved());
    }

    #[test]
    fn a_job_that_another_worker_has_without_a_word_was_lost_by_the_first() {
        let mut chronicle = Chronicle::default();
        let back = What::HandedBack { worker: "b".into() };
        let claims = [claimed("a", 1), claimed("b", 1), back, claimed("c", 1)];
        for (at, what) in claims.into_iter().enumerate() {
            chronicle.hear(&event(at as u64, what));
        }
        let runs = chronicle.life(JobId([7; 32])).unwrap().runs.iter();
        let runs: Vec<_> = runs
            .map(|run| (&run.worker[..], &run.outcome[..]))
            .collect();
        let expected = [("a", "lost"), ("b", "handed-back"), ("c", "running")];
        assert_eq!(runs, expected);
    }

    #[test]
    fn memory_is_bounded_in_jobs_steps_and_runs() {
        let mut chronicle = Chronicle::default();
        for number in 0..JOBS as u64 + 10 {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&number.to_be_bytes());
            let job = JobId(id);
            chronicle.hear(&JobEvent {
                job,
                ..event(number, claimed("a", 1))
            });
        }
        assert_eq!(chronicle.lives.len(), JOBS);
        for number in 0..10 * STEPS as u64 {
            chronicle.hear(&event(number, claimed("a", 1)));
        }
        let life = chronicle.life(JobId([7; 32])).unwrap();
        assert_eq!((life.steps.len(), life.runs.len()), (STEPS, RUNS));
    }
}
