//! One of Falafel's job servers, and the state of the connection to it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};
use url::Url;

use super::Client;

/// Answers that are on their way to one upstream at once.
const POSTS: usize = 16;

/// One of Falafel's job servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Its name in the ledger, logs and metrics: `inner`, `outer`. It must stay
    /// the same over restarts.
    pub name: String,
    /// Where it is: `http://falafel:8082`.
    pub base: Url,
    /// True for a server that may be closed on purpose: port 8083, when Falafel
    /// runs in its single-server mode. A failure to connect is logged at debug.
    pub optional: bool,
}

impl Upstream {
    /// A server that must be open.
    pub fn new(name: impl Into<String>, base: Url) -> Self {
        Self {
            name: name.into(),
            base,
            optional: false,
        }
    }

    /// A server that may be closed on purpose.
    pub fn optional(name: impl Into<String>, base: Url) -> Self {
        Self {
            optional: true,
            ..Self::new(name, base)
        }
    }
}

/// What is known about the connection to one upstream.
#[derive(Debug)]
pub(crate) struct UpstreamLink {
    pub(crate) upstream: Upstream,
    losses: watch::Sender<Losses>,
    /// True after an answer, false after a failure to connect.
    reachable: watch::Sender<bool>,
    /// True while a long poll waits that is connected.
    polling: AtomicBool,
    polls: AtomicU64,
    /// What answers are sent with.
    pub(super) answers: Client,
    pub(super) posts: Semaphore,
}

/// How often the connection was lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// All of them: Falafel may have restarted.
    pub(crate) all: u64,
    /// Long polls that broke. If Falafel did not restart, each is a ghost that
    /// swallows the next job for 5–6 s.
    pub(crate) polls: u64,
    /// When it was lost last.
    at: Option<Instant>,
}

impl Losses {
    fn again(&mut self) {
        self.all += 1;
        self.at = Some(Instant::now());
    }
}

impl UpstreamLink {
    fn new(upstream: Upstream) -> Self {
        Self {
            answers: Client::new(upstream.base.clone()),
            posts: Semaphore::new(POSTS),
            upstream,
            losses: watch::Sender::default(),
            reachable: watch::Sender::new(false),
            polling: AtomicBool::new(false),
            polls: AtomicU64::new(0),
        }
    }

    /// The server answered something.
    pub(crate) fn answered(&self) {
        self.reachable
            .send_if_modified(|now| !std::mem::replace(now, true));
    }

    /// No connection could be made. It is a loss when there was one before.
    pub(crate) fn refused(&self) {
        let was = self.reachable.send_replace(false);
        if was {
            self.losses.send_modify(Losses::again);
        }
    }

    /// A long poll that was established broke.
    pub(crate) fn poll_lost(&self) {
        self.reachable.send_replace(false);
        self.losses.send_modify(|losses| {
            losses.again();
            losses.polls += 1;
        });
    }

    /// Whether the connection was lost lately.
    pub(crate) fn lost_within(&self, time: Duration) -> bool {
        let losses = self.losses.borrow();
        losses.at.is_some_and(|at| at.elapsed() <= time)
    }

    /// Tickets from before a loss were adopted after the loss was looked into:
    /// the loss counts once more.
    pub(crate) fn doubt(&self) {
        self.losses.send_modify(|losses| losses.all += 1);
    }

    /// A long poll has waited for longer than a connection takes to be made. That
    /// says nothing about what the server remembers.
    pub(crate) fn poll_stands(&self, stands: bool) {
        self.polling.store(stands, Ordering::Relaxed);
    }

    /// Whether the server is open, for views: it answered, or it lets a poll wait,
    /// as a server without work does.
    pub(crate) fn is_there(&self) -> bool {
        self.is_reachable() || self.polling.load(Ordering::Relaxed)
    }

    /// Whether the server may be closed on purpose and was never open.
    pub(crate) fn may_be_closed(&self) -> bool {
        self.upstream.optional && self.losses.borrow().all == 0
    }

    pub(crate) fn is_reachable(&self) -> bool {
        *self.reachable.borrow()
    }

    /// Waits until the server answers.
    pub(crate) async fn until_reachable(&self) {
        let mut reachable = self.reachable.subscribe();
        // The sender is a field of this link: it cannot be dropped meanwhile.
        let _ = reachable.wait_for(|now| *now).await;
    }

    /// The losses, to wait for more of them.
    pub(crate) fn losses(&self) -> watch::Receiver<Losses> {
        self.losses.subscribe()
    }

    pub(crate) fn poll_started(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
    }

    /// Long polls that were started.
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }
}

/// The links of a bridge, by the upstream's name.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    links: Arc<[Arc<UpstreamLink>]>,
}

impl Links {
    pub(crate) fn new(upstreams: &[Upstream]) -> Self {
        let links = upstreams
            .iter()
            .map(|u| Arc::new(UpstreamLink::new(u.clone())));
        Self {
            links: links.collect(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<UpstreamLink>> {
        self.links.iter()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<UpstreamLink>> {
        self.links.iter().find(|link| link.upstream.name == name)
    }
}
