//! Who watches the bridge's tasks.
//!
//! A *core task* is a loop without which the bridge only seems to work: if one
//! ends or panics, the bridge stops and says which. Work on one ticket, job or
//! result is an *item*: a panic there is the item's own, and its caller parks
//! that item.

use std::{
    any::Any,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
};

use futures_util::FutureExt;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::failpoint::Failpoints;

/// A core task ended although the bridge was not told to stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("core task `{task}` {how}; stopping")]
pub struct CoreTaskEnded {
    /// The task's name: `delivery`, `poller inner`.
    pub task: String,
    /// How it ended.
    pub how: TaskEnd,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskEnd {
    /// It returned.
    #[error("ended")]
    Returned,
    /// It panicked with this message.
    #[error("panicked: {0}")]
    Panicked(String),
}

/// The bridge panicked over one ticket, job or result.
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
    /// No tasks yet. `stop` is cancelled when a core task ends.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop,
            ended: Arc::default(),
            failpoints: Failpoints::default(),
        }
    }

    /// Where tests make tasks fail.
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
                // It saw the bridge stop.
                Ok(_) if tasks.stop.is_cancelled() => return,
                Ok(_) => TaskEnd::Returned,
                Err(panic) => TaskEnd::Panicked(message(&*panic)),
            };
            let ended = CoreTaskEnded { task: name, how };
            // The first is the cause; later ones are its consequences.
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

    /// The same within the caller's task, where items must keep their order.
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

    /// Waits until all tasks have ended; they must have been told to stop.
    pub(crate) async fn wait(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Why the bridge stopped, if a core task is to blame.
    pub(crate) fn outcome(&self) -> Result<(), CoreTaskEnded> {
        self.ended.get().map_or(Ok(()), |ended| Err(ended.clone()))
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
