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

/// How many answers may be sent to one upstream at the same time.
const POSTS: usize = 16;

/// One of Falafel's job servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The server's name in the ledger, logs and metrics, `inner` or `outer`, which must
    /// stay the same over restarts.
    pub name: String,
    /// The server's base URL, such as `http://falafel:8082`.
    pub base: Url,
    /// True for a server that may be closed on purpose: port 8083, when Falafel
    /// runs in its single-server mode. A failure to connect is logged at debug.
    pub optional: bool,
}

impl Upstream {
    /// Makes the settings of a server that must be open.
    pub fn new(name: impl Into<String>, base: Url) -> Self {
        Self {
            name: name.into(),
            base,
            optional: false,
        }
    }

    /// Makes the settings of a server that may be closed on purpose.
    pub fn optional(name: impl Into<String>, base: Url) -> Self {
        Self {
            optional: true,
            ..Self::new(name, base)
        }
    }
}

/// The state of the connection to one upstream.
#[derive(Debug)]
pub(crate) struct UpstreamLink {
    pub(crate) upstream: Upstream,
    losses: watch::Sender<Losses>,
    /// True after an answer, false after a failure to connect.
    reachable: watch::Sender<bool>,
    /// True while a connected long poll waits.
    polling: AtomicBool,
    polls: AtomicU64,
    /// The client that sends answers.
    pub(super) answers: Client,
    pub(super) posts: Semaphore,
}

/// How often the connection was lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// How often any connection was lost: each time Falafel may have restarted.
    pub(crate) all: u64,
    /// How many long polls broke. If Falafel did not restart, each is a ghost poller
    /// that gets the next job and loses it for 5–6 s.
    pub(crate) polls: u64,
    /// When the connection was last lost.
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

    /// Records that the server gave an answer.
    pub(crate) fn answered(&self) {
        self.reachable
            .send_if_modified(|now| !std::mem::replace(now, true));
    }

    /// Records that no connection could be made: a loss, if the server was reachable.
    pub(crate) fn refused(&self) {
        let was = self.reachable.send_replace(false);
        if was {
            self.losses.send_modify(Losses::again);
        }
    }

    /// Records that a connected long poll broke.
    pub(crate) fn poll_lost(&self) {
        self.reachable.send_replace(false);
        self.losses.send_modify(|losses| {
            losses.again();
            losses.polls += 1;
        });
    }

    /// Whether the connection was lost within the last `time`.
    pub(crate) fn lost_within(&self, time: Duration) -> bool {
        let losses = self.losses.borrow();
        losses.at.is_some_and(|at| at.elapsed() <= time)
    }

    /// Counts the last loss once more: tickets from before the loss were adopted after
    /// the loss had been handled.
    pub(crate) fn doubt(&self) {
        self.losses.send_modify(|losses| losses.all += 1);
    }

    /// Records whether a long poll has waited for longer than connecting takes. A waiting
    /// poll does not show whether the server still knows its tickets.
    pub(crate) fn poll_stands(&self, stands: bool) {
        self.polling.store(stands, Ordering::Relaxed);
    }

    /// Whether the server is open, for views: it answered the last call, or keeps a poll
    /// waiting, as a server without work does.
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

    /// Returns a receiver of the losses, which can wait for the next loss.
    pub(crate) fn losses(&self) -> watch::Receiver<Losses> {
        self.losses.subscribe()
    }

    pub(crate) fn poll_started(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
    }

    /// How many long polls were started.
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
