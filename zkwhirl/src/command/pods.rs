//! Annotates worker pods with a deletion cost, so that a scale-in removes idle
//! pods first.
//!
//! A pod's deletion cost is the number of jobs that the pod is proving. Bridges
//! write the cost, not workers, so that only the bridges' account needs the right
//! to annotate pods. Two bridges write the same values from the same ledger.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::{sleep, timeout};
use zkwhirl_ledger::{Ledger, SlotActivity, SlotReport};

use crate::shell::kubernetes::Kubernetes;

const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
/// Shortest interval between two annotations of a pod. A pod is annotated only
/// when its cost has changed: Kubernetes advises against frequent updates.
const PACE: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

/// The deletion cost that each pod was last annotated with.
type Told = HashMap<String, usize>;

/// Keeps the annotations up to date for as long as the future is polled. An
/// outage of Kubernetes or of the ledger is logged once and retried.
pub(super) async fn mark(ledger: Arc<dyn Ledger>, kubernetes: Kubernetes) {
    let mut told = Told::default();
    let mut well = true;
    loop {
        let round = timeout(PATIENCE, round(&*ledger, &kubernetes, &mut told)).await;
        match round.unwrap_or_else(|_| Err(anyhow::anyhow!("no answer within {PATIENCE:?}"))) {
            Ok(()) => well = true,
            Err(error) => {
                if well {
                    tracing::warn!(
                        "cannot annotate the worker pods: {error:#}; retrying every 5 s"
                    );
                }
                well = false;
            }
        }
        sleep(PACE).await;
    }
}

/// Annotates pods whose cost changed. A failed annotation is retried in the
/// next round.
async fn round(
    ledger: &dyn Ledger,
    kubernetes: &Kubernetes,
    told: &mut Told,
) -> anyhow::Result<()> {
    let costs = costs(&ledger.slots().await?);
    told.retain(|pod, _| costs.contains_key(pod));
    let changed = costs
        .into_iter()
        .filter(|(pod, cost)| told.get(pod) != Some(cost));
    let changed: Vec<_> = changed.collect();
    if changed.is_empty() {
        return Ok(());
    }
    let mut connection = kubernetes.connect().await?;
    let mut outcome = Ok(());
    for (pod, cost) in changed {
        let text = cost.to_string();
        match connection.annotate(&pod, DELETION_COST, &text).await {
            Ok(()) => _ = told.insert(pod, cost),
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// Each pod's number of jobs in proving. A worker has its pod's name, and its
/// slots add a number: `worker-inner-x2f/1`.
fn costs(slots: &[SlotReport]) -> BTreeMap<String, usize> {
    let mut costs = BTreeMap::new();
    for slot in slots {
        let Some((pod, _)) = slot.slot.rsplit_once('/') else {
            continue;
        };
        let cost = costs.entry(pod.to_owned()).or_default();
        *cost += usize::from(slot.doing == SlotActivity::Proving);
    }
    costs
}

#[cfg(test)]
mod tests;
