//! Passes control messages on to the slots of this worker.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zkwhirl_broker_adapter::{Broker, Control};
use zkwhirl_job::JobId;

/// The state of one slot that control messages change. Clones share the state.
#[derive(Debug, Clone)]
pub(crate) struct SlotControl {
    /// Cancelled by a drain: the slot finishes its job and stops.
    pub(crate) drain: CancellationToken,
    quiet: Arc<watch::Sender<bool>>,
    /// How many restarts of the slot's prover were requested.
    restarts: Arc<watch::Sender<u64>>,
    /// The slot's job, and the token that cancels the job.
    job: Arc<Mutex<Option<(JobId, CancellationToken)>>>,
}

/// A slot's job, which control messages can cancel until this value is dropped.
#[derive(Debug)]
pub(crate) struct CancellableJob {
    control: SlotControl,
    pub(crate) cancelled: CancellationToken,
}

impl SlotControl {
    /// `drain` is the token that a drain message cancels.
    pub(crate) fn new(drain: CancellationToken) -> Self {
        Self {
            drain,
            quiet: Arc::default(),
            restarts: Arc::default(),
            job: Arc::default(),
        }
    }

    fn job(&self) -> MutexGuard<'_, Option<(JobId, CancellationToken)>> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `job` the slot's job: control messages can cancel it from now on.
    pub(crate) fn begin(&self, job: JobId) -> CancellableJob {
        let cancelled = CancellationToken::new();
        *self.job() = Some((job, cancelled.clone()));
        CancellableJob {
            control: self.clone(),
            cancelled,
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        *self.quiet.borrow()
    }

    /// Waits until the slot is paused (`quiet` is true) or resumed (false).
    pub(crate) async fn until_quiet(&self, quiet: bool) {
        let mut changes = self.quiet.subscribe();
        // The sender is in `self`: the wait cannot fail.
        let _ = changes.wait_for(|now| *now == quiet).await;
    }

    /// How many restarts of the slot's prover were requested.
    pub(crate) fn restarts(&self) -> u64 {
        *self.restarts.borrow()
    }

    /// Waits until a restart of the prover is requested beyond the first `seen`.
    pub(crate) async fn until_restart(&self, seen: u64) {
        let mut changes = self.restarts.subscribe();
        // The sender is in `self`: the wait cannot fail.
        let _ = changes.wait_for(|now| *now != seen).await;
    }

    fn receive(&self, slot: &str, message: &Control) {
        match message {
            Control::Cancel { job } => {
                if let Some((current, cancelled)) = &*self.job()
                    && current == job
                {
                    cancelled.cancel();
                }
            }
            Control::Quiet { worker, quiet } if names(worker, slot) => {
                if self.quiet.send_replace(*quiet) != *quiet {
                    let claims = if *quiet { "pauses" } else { "resumes" };
                    tracing::info!(slot, quiet, "control message: the slot {claims} its claims");
                }
            }
            Control::Drain { worker } if names(worker, slot) => {
                tracing::info!(slot, "drain requested: the slot finishes its job and stops");
                self.drain.cancel();
            }
            Control::Quiet { .. } | Control::Drain { .. } => {}
            Control::Restart => {
                tracing::info!(
                    slot,
                    "restart requested: the prover restarts, the job is requeued"
                );
                self.restarts.send_modify(|restarts| *restarts += 1);
                if let Some((_, cancelled)) = &*self.job() {
                    cancelled.cancel();
                }
            }
        }
    }
}

impl Drop for CancellableJob {
    fn drop(&mut self) {
        *self.control.job() = None;
    }
}

/// Whether `worker` is the slot's own name or the name of the slot's worker.
fn names(worker: &str, slot: &str) -> bool {
    let rest = slot.strip_prefix(worker);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Passes control messages on to the slots, for as long as this future is polled.
pub(crate) async fn receive(broker: Arc<dyn Broker>, slots: Vec<(String, SlotControl)>) {
    let mut messages = broker.control_messages();
    loop {
        let message = messages.next().await;
        for (slot, control) in &slots {
            control.receive(slot, &message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_worker_s_name_means_all_its_slots_and_a_slot_s_only_itself() {
        for (slot, worker, named) in [
            ("host/0", "host/0", true),
            ("host/0", "host", true),
            ("host/0", "host/", false),
            ("host/10", "host/1", false),
            ("host-2/0", "host", false),
            ("host/0", "", false),
        ] {
            assert_eq!(names(worker, slot), named, "{slot} {worker}");
        }
    }
}
