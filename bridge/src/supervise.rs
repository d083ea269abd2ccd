//! Watches the bridge's tasks.
//!
//! A *core task* is a loop without which the bridge only seems to work: if a core task
//! ends or panics, the bridge stops with an error that names the task. Work on one
//! ticket, job or result is an *item*: a panic ends only the item, whose caller makes
//! the job a dead letter.

use std::{
    any::Any,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
};

use futures_util::FutureExt;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::failpoint::Failpoints;

/// The error of a core task that ended before the bridge was told to stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("core task `{task}` {how}; stopping")]
pub struct CoreTaskEnded {
    /// The task's name: `delivery`, `poller inner`.
    pub task: String,
    /// How the task ended.
    pub how: TaskEnd,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskEnd {
    /// The task returned.
    #[error("ended")]
    Returned,
    /// The task panicked with this message.
    #[error("panicked: {0}")]
    Panicked(String),
}

/// The error of a panic in the work on one ticket, job or result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bridge panicked over its {item}: {message}")]
pub(crate) struct ItemPanicked {
    item: &'static str,
    message: String,
}

/// The tasks of one bridge.
#[derive(Debug, Clone)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    /// The first core task that ended too early.
    ended: Arc<OnceLock<CoreTaskEnded>>,
    failpoints: Failpoints,
}

impl Tasks {
    /// Makes an empty set of tasks. A core task that ends cancels `stop`.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop,
            ended: Arc::default(),
            failpoints: Failpoints::default(),
        }
    }

    /// The failpoints, by which tests make tasks fail.
    pub(crate) fn failpoints(&self) -> &Failpoints {
        &self.failpoints
    }

    /// Starts a core task: it runs until the bridge stops.
    pub(crate) fn core<T>(
        &self,
        name: impl Into<String>,
        task: impl Future<Output = T> + Send + 'static,
    ) {
        let (name, tasks) = (name.into(), self.clone());
        self.tracker.spawn(async move {
            let task = tasks.failpoints.within(&name, task);
            let ended = AssertUnwindSafe(task).catch_unwind().await;
            let how = match ended {
                // The task ended because the bridge stops.
                Ok(_) if tasks.stop.is_cancelled() => return,
                Ok(_) => TaskEnd::Returned,
                Err(panic) => TaskEnd::Panicked(message(&*panic)),
            };
            let ended = CoreTaskEnded { task: name, how };
            // The first end is the cause; later ends are its consequences.
            let _ = tasks.ended.set(ended);
            tasks.stop.cancel();
        });
    }

    /// Starts work in the background; it must end when the bridge stops.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(work);
    }

    /// Runs the work on one item in a task of its own.
    pub(crate) async fn item<T: Send + 'static>(
        &self,
        item: &'static str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, ItemPanicked> {
        let tasks = self.clone();
        let work = async move { tasks.item_in_place(item, work).await };
        let panicked = |message| Err(ItemPanicked { item, message });
        let done = self.tracker.spawn(work).await;
        done.unwrap_or_else(|error| panicked(error.to_string()))
    }

    /// Runs the work on one item in the caller's task, where items keep their order.
    pub(crate) async fn item_in_place<T>(
        &self,
        item: &'static str,
        work: impl Future<Output = T>,
    ) -> Result<T, ItemPanicked> {
        let work = AssertUnwindSafe(self.failpoints.within(item, work)).catch_unwind();
        let message = match work.await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => "it ended".to_owned(),
            Err(panic) => message(&*panic),
        };
        Err(ItemPanicked { item, message })
    }

    /// Waits until all tasks have ended, after the stop was requested.
    pub(crate) async fn wait(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Returns the core task that stopped the bridge, as an error, if there is one.
    pub(crate) fn outcome(&self) -> Result<(), CoreTaskEnded> {
        self.ended.get().map_or(Ok(()), |ended| Err(ended.clone()))
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
