//! The views, made from the ledger, the broker and the model of the fleet.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use zkwhirl_job::{JobId, Topic, clock};
use zkwhirl_ledger::{
    EventName, JobState,
    model::{JobTimeline, RollupState},
};

use super::{
    refusal::Refusal,
    rollups,
    state::ConsoleState,
    views::{
        AttemptLine, AuditEntry, DeadLetterView, JobDetail, JobLine, JobList, KeyView, Listed,
        QueueView, RollupView, SlotView, TicketLine,
    },
};

/// The number of jobs in one answer, at most and by default.
const MAX_JOBS: usize = 1_000;
const DEFAULT_JOBS: usize = 200;
/// The number of dead letters in one answer, at most.
const MAX_LETTERS: usize = 1_000;
/// The number of digits of an id that may name a job, at least.
const MIN_DIGITS: usize = 4;
const MINUTE_MS: u64 = 60_000;

/// The filter of a list of jobs.
#[derive(Debug, Default, Deserialize)]
pub(super) struct JobQuery {
    state: Option<String>,
    kind: Option<String>,
    rollup: Option<u32>,
    /// A part of a job's id, kind, state or reason, or of a worker's name.
    search: Option<String>,
    limit: Option<usize>,
}

fn listed<T>(items: Vec<T>) -> Listed<T> {
    Listed {
        now_ms: clock::now_ms(),
        items,
    }
}

impl JobQuery {
    fn matches(&self, job: &JobLine, timeline: Option<&JobTimeline>) -> bool {
        let is = |wanted: &Option<String>, has: &str| {
            let wanted = wanted.as_deref().filter(|wanted| !wanted.is_empty());
            wanted.is_none_or(|wanted| wanted.split(',').any(|one| one == has))
        };
        let search = self.search.as_deref().unwrap_or_default().trim();
        let search = search.to_lowercase();
        let worker = job.worker.as_deref().unwrap_or_default();
        let reason = job.reason.as_deref().unwrap_or_default();
        let texts = [&job.id, &job.kind, &job.state, worker, reason];
        let runs = timeline.map_or(&[][..], |timeline| &timeline.runs);
        let workers = runs.iter().map(|run| run.worker.as_str());
        is(&self.state, &job.state)
            && is(&self.kind, &job.kind)
            && (self.rollup.is_none() || job.rollup_id == self.rollup)
            && texts
                .into_iter()
                .chain(workers)
                .any(|text| text.to_lowercase().contains(&search))
    }
}

impl ConsoleState {
    pub(super) async fn jobs(&self, query: &JobQuery) -> Result<JobList, Refusal> {
        let listing = self.listing().await?;
        let names = JobState::ALL.map(|state| (state.name().to_owned(), 0));
        let mut counts: BTreeMap<_, _> = names.into();
        let limit = query.limit.unwrap_or(DEFAULT_JOBS).min(MAX_JOBS);
        let (mut matched, mut items) = (0, Vec::new());
        let model = self.model();
        for job in listing.iter().rev() {
            let line = JobLine::of(job);
            *counts.entry(line.state.clone()).or_default() += 1;
            if !query.matches(&line, model.job(job.id)) {
                continue;
            }
            matched += 1;
            if items.len() < limit {
                items.push(line);
            }
        }
        Ok(JobList {
            now_ms: clock::now_ms(),
            counts,
            matched,
            items,
        })
    }

    /// Finds a job by its id or by the beginning of its id.
    pub(super) async fn find_job(&self, name: &str) -> Result<JobId, Refusal> {
        if let Ok(id) = name.parse() {
            return Ok(id);
        }
        let name = name.trim_end_matches('…').to_lowercase();
        let hex = name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if name.len() < MIN_DIGITS || !hex {
            let why =
                format!("\"{name}\" names no job: give at least {MIN_DIGITS} digits of an id");
            return Err(Refusal::bad(why));
        }
        let listing = self.listing().await?;
        let ids = listing.iter().map(|job| job.id);
        let mut found = ids.filter(|id| id.to_string().starts_with(&name));
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(id),
            (None, _) => Err(Refusal::unknown(format!("no job {name}… is known"))),
            (Some(_), Some(_)) => Err(Refusal::bad(format!(
                "several jobs begin with {name}: give more digits"
            ))),
        }
    }

    pub(super) async fn job(&self, name: &str) -> Result<JobDetail, Refusal> {
        let id = self.find_job(name).await?;
        let ledger = self.config.bridge.ledger();
        let (record, tickets, attempts) =
            tokio::join!(ledger.job(id), ledger.tickets_of(id), ledger.attempts(id));
        let record = record?.ok_or_else(|| Refusal::unknown_job(id))?;
        let model = self.model();
        let timeline = model.job(id);
        Ok(JobDetail {
            now_ms: clock::now_ms(),
            job: JobLine::of(&record),
            tickets: tickets?.iter().map(TicketLine::of).collect(),
            attempts: attempts?.iter().map(AttemptLine::of).collect(),
            steps: timeline.map_or(Vec::new(), |job| job.steps.clone()),
            runs: timeline.map_or(Vec::new(), |job| job.runs.clone()),
        })
    }

    pub(super) async fn rollups(&self) -> Result<Listed<RollupView>, Refusal> {
        let bridge = &self.config.bridge;
        let mut items = rollups::rollups(&self.model());
        let proving = |rollup: &&mut RollupView| rollup.state == RollupState::Proving.name();
        let mut open: Vec<_> = items.iter_mut().filter(proving).collect();
        if !open.is_empty() {
            let slots = bridge.broker().depth(Topic::Inner).await?.consumers;
            for rollup in &mut open {
                let ms = |time: Duration| time.as_millis() as u64;
                let left = bridge.rollup_left(rollup.id, slots);
                let twice = bridge.rollup_left(rollup.id, slots * 2);
                rollup.slots = slots;
                rollup.left_ms = left.map(|left| ms(left.time));
                rollup.give_or_take_ms = left.map(|left| ms(left.give_or_take));
                rollup.left_with_twice_ms = twice.map(|left| ms(left.time));
            }
        }
        Ok(listed(items))
    }

    pub(super) async fn workers(&self) -> Result<Listed<SlotView>, Refusal> {
        let slots = self.config.bridge.ledger().slots().await?;
        Ok(listed(slots.into_iter().map(SlotView::of).collect()))
    }

    pub(super) async fn dead(&self) -> Result<Listed<DeadLetterView>, Refusal> {
        let broker = self.config.bridge.broker();
        let letters = broker.dead_letters(MAX_LETTERS).await?;
        Ok(listed(letters.iter().map(DeadLetterView::of).collect()))
    }

    pub(super) async fn keys(&self) -> Result<Listed<KeyView>, Refusal> {
        let keys = self.config.keys.clone();
        let read = tokio::task::spawn_blocking(move || keys.keys()).await;
        let keys = read.map_err(|error| Refusal::away(format!("cannot read keys: {error}")))?;
        Ok(listed(keys))
    }

    pub(super) async fn queues(&self) -> Result<Listed<QueueView>, Refusal> {
        let now = clock::now_ms();
        let jobs = self.listing().await.unwrap_or_default();
        let mut items = Vec::new();
        for topic in Topic::ALL {
            let own = jobs.iter().filter(|job| {
                let waits =
                    job.state == JobState::Taken || JobState::OUTSTANDING.contains(&job.state);
                waits && job.kind.is_some_and(|kind| kind.topic() == topic)
            });
            let oldest = own.map(|job| job.taken_at_ms).min();
            let mut queue = QueueView {
                topic: topic.name().to_owned(),
                oldest_ms: oldest.map(|taken| now.saturating_sub(taken)),
                ..QueueView::default()
            };
            match self.config.bridge.broker().depth(topic).await {
                Ok(depth) => {
                    (queue.ready, queue.in_flight) = (depth.ready, depth.in_flight);
                    queue.rungs = depth.rungs.to_vec();
                    queue.consumers = depth.consumers;
                }
                Err(error) => queue.error = Some(error.to_string()),
            }
            let since = now.saturating_sub(MINUTE_MS);
            let model = self.model();
            queue.taken_per_min = model.count(topic, EventName::Taken, since);
            queue.proved_per_min = model.count(topic, EventName::Proved, since);
            drop(model);
            items.push(queue);
        }
        Ok(listed(items))
    }

    pub(super) fn audited(&self) -> Listed<AuditEntry> {
        listed(self.audit.entries())
    }
}
