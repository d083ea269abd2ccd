//! Rollups as timelines: a bar for each run of each job, and the critical path, the
//! jobs that determined the rollup's duration.

use zkwhirl_ledger::model::{FleetModel, JobTimeline, RollupTimeline, RunOutcome, Stage};

use super::views::{RollupView, RunBar, StageView};

/// The number of rollups in the view, at most.
const SHOWN: usize = 24;
/// If a worker's next run begins within this time after its last run, the next run
/// had waited for the last.
const NEXT_MS: u64 = 1_500;

/// The newest rollups of the model, newest first. The caller adds the estimates of
/// the time left.
pub(super) fn rollups(model: &FleetModel) -> Vec<RollupView> {
    let (rollups, _) = model.rollups();
    rollups.iter().rev().take(SHOWN).map(picture).collect()
}

fn picture(rollup: &RollupTimeline<'_>) -> RollupView {
    let bars = bars(rollup);
    let began = rollup.jobs.iter().filter_map(|(_, job)| job.steps.first());
    let stage = |stage: Stage| StageView {
        name: stage.name().to_owned(),
        jobs: rollup.stages[stage],
    };
    let failed = bars
        .iter()
        .filter(|bar| bar.run.outcome == RunOutcome::Failed);
    RollupView {
        id: rollup.id,
        state: rollup.state.name().to_owned(),
        began_ms: began.map(|step| step.at_ms).min().unwrap_or_default(),
        ended_ms: rollup.ended_ms,
        left_ms: None,
        give_or_take_ms: None,
        left_with_twice_ms: None,
        slots: 0,
        retries: failed.clone().count(),
        wasted_ms: failed.map(|bar| bar.run.length_ms()).sum(),
        critical: critical(&bars),
        stages: Stage::ALL.map(stage).into(),
        bars,
    }
}

/// The runs of all jobs, oldest first.
fn bars(rollup: &RollupTimeline<'_>) -> Vec<RunBar> {
    let staged = |job: &JobTimeline| Some((job.kind?, Stage::of(job.kind?)?));
    let mut bars = Vec::new();
    for (id, job) in &rollup.jobs {
        let Some((kind, stage)) = staged(job) else {
            continue;
        };
        bars.extend(job.runs.iter().map(|run| RunBar {
            job: id.to_string(),
            kind: kind.name().to_owned(),
            stage: stage.name().to_owned(),
            run: run.clone(),
        }));
    }
    bars.sort_by_key(|bar| bar.run.from_ms);
    bars
}

/// The job ids on the critical path, in order. The path is followed backwards from
/// the run that ends last. A run's predecessor is the run just before it on the same
/// worker, or else the last run of an earlier stage.
fn critical(bars: &[RunBar]) -> Vec<String> {
    let end = |bar: &RunBar| bar.run.to_ms.unwrap_or(u64::MAX);
    // Of the runs in progress, the one that began last is assumed to end last.
    let mut at = bars.iter().max_by_key(|bar| (end(bar), bar.run.from_ms));
    let mut path = Vec::new();
    while let Some(bar) = at {
        path.push(bar.job.clone());
        let before =
            |other: &&RunBar| end(other) <= bar.run.from_ms && other.run.from_ms < bar.run.from_ms;
        let soon = |other: &&RunBar| end(other).saturating_add(NEXT_MS) >= bar.run.from_ms;
        let beside =
            |other: &&RunBar| other.run.worker == bar.run.worker && other.stage == bar.stage;
        let earlier = |other: &&RunBar| other.stage != bar.stage;
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
    use zkwhirl_job::{JobId, Kind};
    use zkwhirl_ledger::{JobEvent, JobEventKind};

    use super::*;

    fn run(model: &mut FleetModel, job: u8, kind: Kind, worker: &str, from: u64, to: u64) {
        let event = |at_ms, what| JobEvent {
            at_ms,
            job: JobId([job; 32]),
            kind: Some(kind),
            rollup_id: (kind != Kind::Claim).then_some(7),
            what,
        };
        let worker = worker.to_owned();
        let claimed = JobEventKind::Claimed {
            worker: worker.clone(),
            attempt: 1,
        };
        model.apply(&event(from, claimed));
        if to > 0 {
            let proved = JobEventKind::Proved {
                worker,
                attempt: 1,
                duration: Default::default(),
                reply_bytes: 1,
                peak_rss_bytes: None,
            };
            model.apply(&event(to, proved));
        }
    }

    #[test]
    fn a_rollup_is_its_stages_its_bars_and_the_path_that_decided() {
        let mut model = FleetModel::default();
        run(&mut model, 1, Kind::Claim, "a", 0, 4_000);
        run(&mut model, 2, Kind::TxRollup, "a", 5_000, 15_000);
        run(&mut model, 3, Kind::TxRollup, "b", 5_000, 9_000);
        run(&mut model, 4, Kind::TxRollup, "b", 9_100, 19_000);
        run(&mut model, 5, Kind::RootRollup, "a", 20_000, 0);
        let all = rollups(&model);
        let [rollup] = &all[..] else {
            panic!("one rollup")
        };
        assert_eq!((rollup.id, rollup.state.as_str()), (7, "proving"));
        let counts = |StageView { jobs, .. }: &StageView| (jobs.total, jobs.done, jobs.running);
        let counts: Vec<_> = rollup.stages.iter().map(counts).collect();
        assert_eq!(counts, [(1, 1, 0), (3, 3, 0), (1, 0, 1), (0, 0, 0)]);
        assert_eq!(rollup.bars.len(), 5);
        let path: Vec<_> = rollup.critical.iter().map(|job| &job[..2]).collect();
        assert_eq!(path, ["01", "03", "04", "05"], "b's two in a row decided");
    }
}
