//! Counts messages and bytes, and finds the jobs that no queue can hold.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use tokio::time::Instant;
use zkwhirl_job::{JobId, Topic};

use super::{
    AmqpClient,
    names::{RESULTS_QUEUE, UNREAD_RESULTS_QUEUE, jobs_queue, rung_queue},
    topology::count_queues,
};
use crate::{BrokerError, Depth, Rung};

/// Since when `missing` has been called with a job while all counts were zero.
pub(super) type AskedJobs = Mutex<HashMap<JobId, Instant>>;

impl AmqpClient {
    /// How many messages of a queue are unacknowledged, as of up to two statistics
    /// intervals ago. `None`: there is no management API.
    async fn held(&self, queue: &str) -> Result<Option<usize>, BrokerError> {
        let Some(api) = &self.api else {
            return Ok(None);
        };
        let found = api.queue(self.config.vhost(), queue).await?;
        let held = found.and_then(|queue| queue["messages_unacknowledged"].as_u64());
        Ok(held.map(|held| held as usize))
    }
}

pub(super) async fn depth(client: &AmqpClient, topic: Topic) -> Result<Depth, BrokerError> {
    let [jobs, rungs @ ..] = count_queues(client, queues_of(topic)).await?;
    let in_flight = client.held(jobs_queue(topic)).await?;
    Ok(Depth {
        ready: jobs.ready,
        in_flight: in_flight.unwrap_or(0),
        rungs: rungs.map(|rung| rung.ready),
        consumers: jobs.consumers,
        oldest: None,
    })
}

/// The queues of a topic: first of its jobs, then of its rungs.
fn queues_of(topic: Topic) -> [&'static str; 4] {
    let [short, medium, long] = Rung::ALL.map(|rung| rung_queue(topic, rung));
    [jobs_queue(topic), short, medium, long]
}

/// Finds the jobs that no queue can hold. Counts of deliveries lag, so a job is
/// missing only when calls over at least the time `quiet` named the job and found
/// every queue empty. A wrong answer would cost a second proof, never a job.
pub(super) async fn missing(
    client: &AmqpClient,
    topic: Topic,
    jobs: &[JobId],
) -> Result<Vec<JobId>, BrokerError> {
    let empty = is_empty(client, topic).await;
    let due = {
        let asked = client.asked.lock();
        let mut asked = asked.unwrap_or_else(PoisonError::into_inner);
        if matches!(empty, Ok(true)) {
            due(&mut asked, jobs, client)
        } else {
            asked.retain(|job, _| !jobs.contains(job));
            Vec::new()
        }
    };
    empty?;
    if due.is_empty() {
        return Ok(due);
    }
    let dead = client.scan(None).await?;
    if !dead.all {
        return Ok(Vec::new());
    }
    let dead: HashSet<JobId> = dead.letters.iter().map(|letter| letter.id).collect();
    Ok(due.into_iter().filter(|job| !dead.contains(job)).collect())
}

fn due(asked: &mut HashMap<JobId, Instant>, jobs: &[JobId], client: &AmqpClient) -> Vec<JobId> {
    let (now, quiet) = (Instant::now(), client.config.quiet);
    // Jobs that no call names any more are forgotten.
    asked.retain(|_, since| since.elapsed() < quiet * 4);
    let mut due = Vec::new();
    for job in jobs {
        let since = *asked.entry(*job).or_insert(now);
        if since.elapsed() >= quiet {
            due.push(*job);
            // The caller publishes the job again: its time starts anew.
            asked.remove(job);
        }
    }
    due
}

/// Whether all counts of a topic and of the results are zero.
async fn is_empty(client: &AmqpClient, topic: Topic) -> Result<bool, BrokerError> {
    for queue in [jobs_queue(topic), RESULTS_QUEUE] {
        if client.held(queue).await? != Some(0) {
            return Ok(false);
        }
    }
    let jobs = count_queues(client, queues_of(topic)).await?;
    let results = count_queues(client, [RESULTS_QUEUE, UNREAD_RESULTS_QUEUE]).await?;
    let mut counted = jobs.iter().chain(&results);
    Ok(counted.all(|count| count.ready == 0))
}

/// Bytes on the wire of all connections to a vhost since the vhost was made, closed
/// connections included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that the broker received.
    pub received: u64,
    /// Bytes that the broker sent.
    pub sent: u64,
}

/// Reads the vhost's traffic from the broker's statistics. `None`: there is no
/// management API, or no such vhost.
pub(super) async fn traffic(client: &AmqpClient) -> Result<Option<Traffic>, BrokerError> {
    let Some(api) = &client.api else {
        return Ok(None);
    };
    let vhost = api.get(&["vhosts", client.config.vhost()]).await?;
    let Some(vhost) = vhost else {
        return Ok(None);
    };
    // A count is absent until its first byte.
    let octets = |name: &str| vhost[name].as_u64().unwrap_or(0);
    Ok(Some(Traffic {
        received: octets("recv_oct"),
        sent: octets("send_oct"),
    }))
}
