//! What is read: every view from the ledger, the broker and the chronicle.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use zkwhirl_job::{JobId, Topic};

use super::{
    Inner,
    chronicle::Life,
    rollups,
    routes::Refusal,
    views::{
        AttemptLine, Dead, Deed, JobDetail, JobLine, Jobs, Key, Listed, Queue, Rollup, Slot,
        TicketLine,
    },
};
use zkwhirl_broker_adapter::BrokerError;
use zkwhirl_job::clock;
use zkwhirl_ledger::{JobState, LedgerError};

/// Jobs that one answer lists at most, and without being asked.
const LINES: usize = 1_000;
const USUAL: usize = 200;
/// Dead letters that one answer lists.
const LETTERS: usize = 1_000;
/// Digits by which a job may be named.
const DIGITS: usize = 4;
const MINUTE_MS: u64 = 60_000;

/// Which jobs are asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    state: Option<String>,
    kind: Option<String>,
    rollup: Option<u32>,
    /// Anywhere in id, reason, kind, state, or a worker that had it.
    search: Option<String>,
    limit: Option<usize>,
}

fn away(error: LedgerError) -> Refusal {
    Refusal::away(error.to_string())
}

fn broker_away(error: BrokerError) -> Refusal {
    Refusal::away(error.to_string())
}

fn listed<T>(items: Vec<T>) -> Listed<T> {
    Listed {
        now_ms: clock::now_ms(),
        items,
    }
}

impl Wanted {
    fn wants(&self, job: &JobLine, life: Option<&Life>) -> bool {
        let is = |wanted: &Option<String>, has: &str| {
            let wanted = wanted.as_deref().filter(|wanted| !wanted.is_empty());
            wanted.is_none_or(|wanted| wanted.split(',').any(|one| one == has))
        };
        let search = self.search.as_deref().unwrap_or_default().trim();
        let search = search.to_lowercase();
        let worker = job.worker.as_deref().unwrap_or_default();
        let reason = job.reason.as_deref().unwrap_or_default();
        let texts = [&job.id, &job.kind, &job.state, worker, reason];
        let runs = life.map_or(&[][..], |life| &life.runs);
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

impl Inner {
    pub(super) async fn jobs(&self, wanted: &Wanted) -> Result<Jobs, Refusal> {
        let listing = self.listing().await.map_err(away)?;
        let names = JobState::ALL.map(|state| (state.name().to_owned(), 0));
        let mut counts: BTreeMap<_, _> = names.into();
        let limit = wanted.limit.unwrap_or(USUAL).min(LINES);
        let (mut matched, mut items) = (0, Vec::new());
        let chronicle = self.chronicle();
        for job in listing.iter().rev() {
            let line = JobLine::of(job);
            *counts.entry(line.state.clone()).or_default() += 1;
            if !wanted.wants(&line, chronicle.life(job.id)) {
                continue;
            }
            matched += 1;
            if items.len() < limit {
                items.push(line);
            }
        }
        Ok(Jobs {
            now_ms: clock::now_ms(),
            counts,
            matched,
            items,
        })
    }

    /// The job that a whole id names, or its beginning.
    pub(super) async fn named(&self, name: &str) -> Result<JobId, Refusal> {
        if let Ok(id) = name.parse() {
            return Ok(id);
        }
        let name = name.trim_end_matches('…').to_lowercase();
        let hex = name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if name.len() < DIGITS || !hex {
            let why = format!("\"{name}\" names no job: at least {DIGITS} digits of its id");
            return Err(Refusal::bad(why));
        }
        let listing = self.listing().await.map_err(away)?;
        let mut found = listing.iter().map(|job| job.id);
        let mut found = found
            .by_ref()
            .filter(|id| id.to_string().starts_with(&name));
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(id),
            (None, _) => Err(Refusal::unknown(format!("no job {name}… is known"))),
            (Some(_), Some(_)) => {
                let why = format!("several jobs begin with {name}: give more digits");
                Err(Refusal::bad(why))
            }
        }
    }

    pub(super) async fn job(&self, name: &str) -> Result<JobDetail, Refusal> {
        let id = self.named(name).await?;
        let ledger = self.config.bridge.ledger();
        let (record, tickets, attempts) =
            tokio::join!(ledger.job(id), ledger.tickets_of(id), ledger.attempts(id));
        let record = record.map_err(away)?;
        let record = record.ok_or_else(|| Refusal::unknown(format!("no job {id} is known")))?;
        let (tickets, attempts) = (tickets.map_err(away)?, attempts.map_err(away)?);
        let chronicle = self.chronicle();
        let life = chronicle.life(id);
        Ok(JobDetail {
            now_ms: clock::now_ms(),
            job: JobLine::of(&record),
            tickets: tickets.iter().map(TicketLine::of).collect(),
            attempts: attempts.iter().map(AttemptLine::of).collect(),
            steps: life.map(|life| life.steps.clone()).unwrap_or_default(),
            runs: life.map(|life| life.runs.clone()).unwrap_or_default(),
        })
    }

    pub(super) async fn rollups(&self) -> Result<Listed<Rollup>, Refusal> {
        let bridge = &self.config.bridge;
        let mut items = rollups::rollups(&self.chronicle());
        let open = items.iter().any(|rollup| rollup.state == "proving");
        if open {
            let depth = bridge.broker().depth(Topic::Inner).await;
            let slots = depth.map_err(broker_away)?.consumers;
            for rollup in items.iter_mut().filter(|rollup| rollup.state == "proving") {
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

    pub(super) async fn workers(&self) -> Result<Listed<Slot>, Refusal> {
        let slots = self.config.bridge.ledger().slots().await.map_err(away)?;
        Ok(listed(slots.into_iter().map(Slot::of).collect()))
    }

    pub(super) async fn dead(&self) -> Result<Listed<Dead>, Refusal> {
        let letters = self.config.bridge.broker().dead_letters(LETTERS).await;
        let letters = letters.map_err(broker_away)?;
        Ok(listed(letters.iter().map(Dead::of).collect()))
    }

    pub(super) async fn keys(&self) -> Result<Listed<Key>, Refusal> {
        let keys = self.config.keys.clone();
        let read = tokio::task::spawn_blocking(move || keys.keys()).await;
        let keys = read.map_err(|error| Refusal::away(format!("cannot read keys: {error}")))?;
        Ok(listed(keys))
    }

    pub(super) async fn queues(&self) -> Result<Listed<Queue>, Refusal> {
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
            let mut queue = Queue {
                topic: topic.name().to_owned(),
                oldest_ms: oldest.map(|taken| now.saturating_sub(taken)),
                ..Queue::default()
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
            let chronicle = self.chronicle();
            queue.taken_per_min = chronicle.count(topic, "taken", since);
            queue.proved_per_min = chronicle.count(topic, "proved", since);
            drop(chronicle);
            items.push(queue);
        }
        Ok(listed(items))
    }

    pub(super) fn deeds(&self) -> Listed<Deed> {
        listed(self.audit.deeds())
    }
}
