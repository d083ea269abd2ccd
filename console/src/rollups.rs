//! Rollups as pictures: which job ran where and when, what is left, and which
//! jobs decided how long it took.

use std::collections::BTreeMap;

use zkwhirl_job::{JobId, Kind};

use super::{
    chronicle::{Chronicle, Life},
    views::{Bar, Rollup, Run, Stage},
};

/// Rollups that are shown.
const SHOWN: usize = 24;
/// A worker that goes on within this time went on because of what it did before.
const NEXT_MS: u64 = 1_500;

/// The stages in their order, with the kind of their jobs.
const STAGES: [(&str, Kind); 4] = [
    ("claims", Kind::Claim),
    ("inner", Kind::TxRollup),
    ("root", Kind::RootRollup),
    ("verifier", Kind::RootVerifier),
];

/// One rollup's jobs.
type Jobs<'a> = Vec<(JobId, &'a Life)>;

/// The rollups that are remembered, newest first. What they will still take is
/// left to the caller.
pub(super) fn rollups(chronicle: &Chronicle) -> Vec<Rollup> {
    let mut jobs: BTreeMap<u32, Jobs<'_>> = BTreeMap::new();
    let mut claims: Jobs<'_> = Vec::new();
    for (job, life) in chronicle.lives() {
        match (life.kind, life.rollup_id) {
            // A claim does not say for which rollup it is: the next that begins.
            (Some(Kind::Claim), _) => claims.push((job, life)),
            (Some(_), Some(rollup)) => {
                let own = jobs.entry(rollup).or_default();
                if own.is_empty() {
                    own.append(&mut claims);
                }
                own.push((job, life));
            }
            _ => {}
        }
    }
    let newest = jobs.into_iter().rev().take(SHOWN);
    newest.map(|(id, jobs)| picture(id, jobs)).collect()
}

fn stage_of(life: &Life) -> Option<&'static str> {
    let stage = STAGES.iter().find(|(_, kind)| life.kind == Some(*kind));
    stage.map(|(name, _)| *name)
}

fn picture(id: u32, mut jobs: Jobs<'_>) -> Rollup {
    let end = jobs
        .iter()
        .filter(|(_, life)| life.kind == Some(Kind::RootVerifier))
        .find_map(|(_, life)| life.has("delivered"));
    if end.is_some() {
        // Claims that it did not wait for are not its own.
        jobs.retain(|(_, life)| life.is_proved());
    }
    let jobs = &jobs;
    let stages = STAGES.map(|(name, _)| {
        let own: Vec<_> = jobs
            .iter()
            .filter(|(_, life)| stage_of(life) == Some(name))
            .collect();
        let count = |which: fn(&Life) -> bool| own.iter().filter(|(_, life)| which(life)).count();
        Stage {
            name: name.to_owned(),
            total: own.len(),
            done: count(Life::is_proved),
            running: count(|life| life.runs.last().is_some_and(|run| run.to_ms.is_none())),
            dead: count(Life::is_dead),
        }
    });
    let began = jobs.iter().filter_map(|(_, life)| life.steps.first());
    let bars = bars(jobs);
    let failed = bars.iter().filter(|bar| bar.run.outcome == "failed");
    let wasted = failed.clone().map(|bar| length(&bar.run)).sum();
    let dead = stages.iter().any(|stage| stage.dead > 0);
    Rollup {
        id,
        state: match (end, dead) {
            (Some(_), _) => "settled",
            (None, true) => "halted",
            (None, false) => "proving",
        }
        .to_owned(),
        began_ms: began.map(|step| step.at_ms).min().unwrap_or_default(),
        ended_ms: end.map(|step| step.at_ms),
        left_ms: None,
        give_or_take_ms: None,
        left_with_twice_ms: None,
        slots: 0,
        retries: failed.count(),
        wasted_ms: wasted,
        critical: critical(&bars),
        stages: stages.into(),
        bars,
    }
}

fn length(run: &Run) -> u64 {
    run.to_ms.map_or(0, |end| end.saturating_sub(run.from_ms))
}

/// The runs of all jobs, oldest first.
fn bars(jobs: &Jobs<'_>) -> Vec<Bar> {
    let mut bars = Vec::new();
    for (job, life) in jobs {
        let (Some(stage), Some(kind)) = (stage_of(life), life.kind) else {
            continue;
        };
        bars.extend(life.runs.iter().map(|run| Bar {
            job: job.to_string(),
            kind: kind.name().to_owned(),
            stage: stage.to_owned(),
            run: run.clone(),
        }));
    }
    bars.sort_by_key(|bar| bar.run.from_ms);
    bars
}

/// From the run that ended last, or that will, back to the beginning: what ran
/// on the same worker right before, else what of the stage before ended last.
fn critical(bars: &[Bar]) -> Vec<String> {
    let end = |bar: &Bar| bar.run.to_ms.unwrap_or(u64::MAX);
    // Of those that still run, the one that began last will end last.
    let mut at = bars.iter().max_by_key(|bar| (end(bar), bar.run.from_ms));
    let mut path = Vec::new();
    while let Some(bar) = at {
        path.push(bar.job.clone());
        let before = |other: &&Bar| {
            let ended = other.run.to_ms.unwrap_or(u64::MAX);
            ended <= bar.run.from_ms && other.run.from_ms < bar.run.from_ms
        };
        let soon = |other: &&Bar| end(other) + NEXT_MS >= bar.run.from_ms;
        let beside = |other: &&Bar| other.run.worker == bar.run.worker && other.stage == bar.stage;
        let earlier = |other: &&Bar| other.stage != bar.stage;
        let neighbour = bars.iter().filter(before).filter(soon).filter(beside);
        let waited = bars.iter().filter(before).filter(earlier);
        at = neighbour
            .max_by_key(|bar| end(bar))
            .or_else(|| waited.max_by_key(|bar| end(bar)));
    }
    path.dedup();
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkwhirl_ledger::events::{JobEvent, What};

    fn run(chronicle: &mut Chronicle, job: u8, kind: Kind, worker: &str, from: u64, to: u64) {
        let event = |at_ms, what| JobEvent {
            at_ms,
            job: JobId([job; 32]),
            kind: Some(kind),
            rollup_id: (kind != Kind::Claim).then_some(7),
            what,
        };
        chronicle.hear(&event(
            from,
            What::Claimed {
                worker: worker.into(),
                attempt: 1,
            },
        ));
        if to > 0 {
            let (worker, duration) = (worker.to_owned(), Default::default());
            chronicle.hear(&event(
                to,
                What::Proved {
                    worker,
                    attempt: 1,
                    duration,
                    reply_bytes: 1,
                    peak_rss_bytes: None,
                },
            ));
        }
    }

    #[test]
    fn a_rollup_is_its_stages_its_bars_and_the_path_that_decided() {
        let mut chronicle = Chronicle::default();
        run(&mut chronicle, 1, Kind::Claim, "a", 0, 4_000);
        run(&mut chronicle, 2, Kind::TxRollup, "a", 5_000, 15_000);
        run(&mut chronicle, 3, Kind::TxRollup, "b", 5_000, 9_000);
        run(&mut chronicle, 4, Kind::TxRollup, "b", 9_100, 19_000);
        run(&mut chronicle, 5, Kind::RootRollup, "a", 20_000, 0);
        let all = rollups(&chronicle);
        let [rollup] = &all[..] else {
            panic!("one rollup")
        };
        assert_eq!((rollup.id, rollup.state.as_str()), (7, "proving"));
        let stages = rollup.stages.iter();
        let counts: Vec<_> = stages.map(|s| (s.total, s.done, s.running)).collect();
        assert_eq!(counts, [(1, 1, 0), (3, 3, 0), (1, 0, 1), (0, 0, 0)]);
        assert_eq!(rollup.bars.len(), 5);
        let path: Vec<_> = rollup.critical.iter().map(|job| &job[..2]).collect();
        assert_eq!(path, ["01", "03", "04", "05"], "b's two in a row decided");
    }
}
