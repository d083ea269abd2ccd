//! What the worker is told from afar, passed on to its slots.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zkwhirl_broker_adapter::{Broker, Control, ControlConsumer};
use zkwhirl_job::JobId;

/// What one slot is told. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Ear {
    /// Cancelled when the slot is to leave.
    pub(crate) drain: CancellationToken,
    quiet: Arc<watch::Sender<bool>>,
    /// How often its prover was to be restarted.
    restarts: Arc<watch::Sender<u64>>,
    /// The job that the slot has, and what calls it off.
    job: Arc<Mutex<Option<(JobId, CancellationToken)>>>,
}

/// While it lives its job can be called off.
#[derive(Debug)]
pub(crate) struct Attending {
    ear: Ear,
    pub(crate) called_off: CancellationToken,
}

impl Ear {
    /// An ear that heard nothing yet; `drain` is what it cancels.
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

    /// Hears about `job` from now on.
    pub(crate) fn attend(&self, job: JobId) -> Attending {
        let called_off = CancellationToken::new();
        *self.job() = Some((job, called_off.clone()));
        Attending {
            ear: self.clone(),
            called_off,
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        *self.quiet.borrow()
    }

    /// Waits until the slot is to claim no more, or may claim again.
    pub(crate) async fn until(&self, quiet: bool) {
        let mut told = self.quiet.subscribe();
        // The sender is ours: it cannot go away meanwhile.
        let _ = told.wait_for(|now| *now == quiet).await;
    }

    /// How often the slot was told to restart its prover.
    pub(crate) fn restarts(&self) -> u64 {
        *self.restarts.borrow()
    }

    /// Waits until the slot is told so once more.
    pub(crate) async fn until_restart(&self, seen: u64) {
        let mut told = self.restarts.subscribe();
        // The sender is ours: it cannot go away meanwhile.
        let _ = told.wait_for(|now| *now != seen).await;
    }

    fn hear(&self, slot: &str, word: &Control) {
        match word {
            Control::Cancel { job } => {
                if let Some((attended, called_off)) = &*self.job()
                    && attended == job
                {
                    called_off.cancel();
                }
            }
            Control::Quiet { worker, quiet } if is_meant(slot, worker) => {
                let changed = self.quiet.send_replace(*quiet) != *quiet;
                if changed {
                    let what = if *quiet {
                        "claims no more"
                    } else {
                        "claims again"
                    };
                    tracing::info!(slot, "told so: {what}");
                }
            }
            Control::Drain { worker } if is_meant(slot, worker) => {
                tracing::info!(slot, "told so: finishes what it has and leaves");
                self.drain.cancel();
            }
            Control::Quiet { .. } | Control::Drain { .. } => {}
            Control::Restart => {
                tracing::info!(slot, "told so: restarts its prover");
                self.restarts.send_modify(|restarts| *restarts += 1);
                if let Some((_, called_off)) = &*self.job() {
                    called_off.cancel();
                }
            }
        }
    }
}

impl Drop for Attending {
    fn drop(&mut self) {
        *self.ear.job() = None;
    }
}

/// Whether a slot is the named worker, or one of its slots.
fn is_meant(slot: &str, worker: &str) -> bool {
    let rest = slot.strip_prefix(worker);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Passes words on to the slots, as long as it is polled.
pub(crate) async fn listen(broker: Arc<dyn Broker>, ears: Vec<(String, Ear)>) {
    let mut words: Box<dyn ControlConsumer> = broker.listen();
    loop {
        let word = words.next().await;
        for (slot, ear) in &ears {
            ear.hear(slot, &word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_meant;

    #[test]
    fn a_worker_s_name_means_all_its_slots_and_a_slot_s_only_itself() {
        for (slot, worker, meant) in [
            ("host/0", "host/0", true),
            ("host/0", "host", true),
            ("host/0", "host/", false),
            ("host/10", "host/1", false),
            ("host-2/0", "host", false),
            ("host/0", "", false),
        ] {
            assert_eq!(is_meant(slot, worker), meant, "{slot} {worker}");
        }
    }
}
