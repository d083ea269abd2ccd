//! The console's views as text.

use std::time::Duration;

use zkwhirl_console::views::{
    DeadLetterView, JobDetail, JobList, Listed, QueueView, RollupView, SlotView,
};
use zkwhirl_job::Kind;

use super::client::parse;
use crate::ui::{self, table};

/// Number of characters of a reason in a table, at most.
const REASON: usize = 72;

/// A job id's first eight and last four digits; other names unchanged.
pub(super) fn short(id: &str) -> String {
    match id.len() {
        64 => format!("{}…{}", &id[..8], &id[60..]),
        _ => id.to_owned(),
    }
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

fn span(ms: u64) -> String {
    ui::seconds(Duration::from_millis(ms))
}

fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(REASON).collect();
    if text.chars().count() > REASON {
        short.push('…');
    }
    short
}

pub(super) fn rollups(body: &[u8]) -> anyhow::Result<String> {
    let Listed { items, .. } = parse::<Listed<RollupView>>(body)?;
    if items.is_empty() {
        let none = "no rollup yet: a rollup is listed when Falafel requests its first inner rollup";
        return Ok(none.to_owned());
    }
    let row = |rollup: &RollupView| {
        let stage = |name: &str| {
            let stage = rollup.stages.iter().find(|stage| stage.name == name);
            stage.map_or_else(String::new, |stage| match stage.jobs.total {
                0 => "–".to_owned(),
                total => format!("{}/{total}", stage.jobs.done),
            })
        };
        let left = match (rollup.ended_ms, rollup.left_ms) {
            (Some(end), _) => format!("took {}", span(end.saturating_sub(rollup.began_ms))),
            (None, Some(left)) => match rollup.give_or_take_ms {
                Some(off @ 1_000..) => format!("{} ± {} left", span(left), span(off)),
                _ => format!("{} left", span(left)),
            },
            (None, None) => "–".to_owned(),
        };
        vec![
            rollup.id.to_string(),
            rollup.state.clone(),
            stage("claims"),
            stage("inner"),
            stage("root"),
            stage("verifier"),
            rollup.retries.to_string(),
            left,
        ]
    };
    let header = ">rollup|state|>claims|>inner|>root|>verifier|>retries|time";
    Ok(table(header, items.iter().map(row)))
}

pub(super) fn jobs(body: &[u8]) -> anyhow::Result<String> {
    let jobs: JobList = parse(body)?;
    let counts = jobs.counts.iter().filter(|(_, count)| **count > 0);
    let counts: Vec<_> = counts
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    if jobs.items.is_empty() {
        return Ok(match counts.is_empty() {
            true => "no job yet".to_owned(),
            false => format!("no job matches; there are {}", counts.join(" · ")),
        });
    }
    let rows = jobs.items.iter().map(|job| {
        vec![
            short(&job.id),
            job.kind.clone(),
            or_dash(job.rollup_id),
            job.state.clone(),
            job.attempt.to_string(),
            or_dash(job.worker.as_ref()),
            span(jobs.now_ms.saturating_sub(job.taken_at_ms)),
            cut(job.reason.as_deref().unwrap_or_default()),
        ]
    });
    let header = "job|kind|>rollup|state|>attempt|worker|>age|why";
    let text = table(header, rows);
    let more = match jobs.matched > jobs.items.len() {
        true => format!(" · {} of {} shown", jobs.items.len(), jobs.matched),
        false => String::new(),
    };
    Ok(format!("{text}\n\n{}{more}", counts.join(" · ")))
}

pub(super) fn job(body: &[u8]) -> anyhow::Result<String> {
    let detail: JobDetail = parse(body)?;
    let job = &detail.job;
    let mut lines = vec![format!("{} {}  {}", job.kind, job.id, job.state)];
    if let Some(reason) = &job.reason {
        lines.push(reason.clone());
    }
    let rollup = or_dash(job.rollup_id);
    lines.push(format!(
        "rollup {rollup} · attempt {} · {} tickets wait · request of {}\n",
        job.attempt,
        detail.tickets.len(),
        ui::bytes(job.request_bytes as u64)
    ));
    let begin = detail.steps.first().map_or(0, |step| step.at_ms);
    let steps = detail.steps.iter().map(|step| {
        vec![
            format!("+{}", span(step.at_ms - begin.min(step.at_ms))),
            step.what.name().to_owned(),
            step.attempt.map_or_else(String::new, |n| n.to_string()),
            step.worker.clone().unwrap_or_default(),
            cut(step.text.as_deref().unwrap_or_default()),
        ]
    });
    lines.push(table(">at|what|>attempt|worker|", steps));
    for run in &detail.runs {
        let phases = run.phases.iter();
        let phases: Vec<_> = phases
            .map(|phase| format!("{} {}", phase.name, span(phase.to_ms - phase.from_ms)))
            .collect();
        let end = run.to_ms.unwrap_or(detail.now_ms);
        lines.push(format!(
            "\nattempt {} on {}: {} after {}  {}",
            run.attempt,
            run.worker,
            run.outcome.name(),
            span(end.saturating_sub(run.from_ms)),
            phases.join(" · ")
        ));
    }
    for attempt in &detail.attempts {
        lines.push(format!(
            "\nattempt {} on {} failed ({}): {}",
            attempt.attempt, attempt.worker, attempt.class, attempt.reason
        ));
        if !attempt.stderr_tail.is_empty() {
            lines.push(attempt.stderr_tail.trim_end().to_owned());
        }
    }
    Ok(lines.join("\n"))
}

pub(super) fn workers(body: &[u8]) -> anyhow::Result<String> {
    let Listed { items, now_ms } = parse::<Listed<SlotView>>(body)?;
    if items.is_empty() {
        return Ok("no worker runs: zkwhirl worker --topic inner,outer starts one".to_owned());
    }
    let row = |SlotView { report, state }: &SlotView| {
        let job = report.job.map(|job| short(&job.to_string()));
        let phase = match report.job {
            Some(_) => format!("{} {:.0} %", report.phase, report.fraction * 100.0),
            None => String::new(),
        };
        let topics: Vec<_> = report.topics.iter().map(|topic| topic.name()).collect();
        let used = ui::bytes(report.resident_bytes);
        let memory = match report.memory_limit_bytes {
            0 => used,
            limit => format!("{used} of {}", ui::bytes(limit)),
        };
        vec![
            report.slot.clone(),
            state.clone(),
            topics.join(","),
            report.kind.map_or("", Kind::name).to_owned(),
            job.unwrap_or_default(),
            phase,
            span(now_ms.saturating_sub(report.since_ms)),
            report.done.to_string(),
            report.failures.to_string(),
            memory,
            report.keys.len().to_string(),
            report.version.clone(),
        ]
    };
    let header = "slot|state|takes|kind|job|>phase|>since|>proved|>failed|>memory|>keys|release";
    Ok(table(header, items.iter().map(row)))
}

pub(super) fn dead(body: &[u8]) -> anyhow::Result<String> {
    let Listed { items, now_ms } = parse::<Listed<DeadLetterView>>(body)?;
    if items.is_empty() {
        return Ok("no dead letters".to_owned());
    }
    let row = |letter: &DeadLetterView| {
        let parked = letter.reason.split_once(" parked: ");
        let cause = parked.map_or(&*letter.reason, |(_, why)| why);
        vec![
            short(&letter.id),
            letter.kind.clone(),
            or_dash(letter.rollup_id),
            letter.attempts.len().to_string(),
            span(now_ms.saturating_sub(letter.died_at_ms)),
            cut(cause),
        ]
    };
    let header = "job|kind|>rollup|>failed|>dead for|why";
    let text = table(header, items.iter().map(row));
    Ok(format!(
        "{text}\n\nthe bridge keeps pinging their tickets. zkwhirl dead replay ID · dead reject ID · dead download ID"
    ))
}

pub(super) fn queues(body: &[u8]) -> anyhow::Result<String> {
    let Listed { items, .. } = parse::<Listed<QueueView>>(body)?;
    let row = |queue: &QueueView| {
        let rungs: Vec<_> = queue.rungs.iter().map(usize::to_string).collect();
        vec![
            queue.topic.clone(),
            queue.ready.to_string(),
            queue.in_flight.to_string(),
            rungs.join("/"),
            queue.consumers.to_string(),
            or_dash(queue.oldest_ms.map(span)),
            queue.taken_per_min.to_string(),
            queue.proved_per_min.to_string(),
            queue.error.clone().unwrap_or_default(),
        ]
    };
    let header =
        "topic|>ready|>in flight|10 s/1 min/10 min|>consumers|>oldest|>taken/min|>proved/min|";
    Ok(table(header, items.iter().map(row)))
}
