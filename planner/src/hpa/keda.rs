//! What KEDA adds to the HPA that it creates: scaling to zero while there is no
//! work, and a fallback number of replicas while the metric cannot be read.

use super::{Hpa, Observed};

/// The settings of a ScaledObject that KEDA applies itself, outside its HPA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keda {
    /// `cooldownPeriod` in milliseconds, if `minReplicaCount` is 0: the fleet
    /// has no pods after the metric was zero for this time.
    pub to_zero_after_ms: Option<u64>,
    /// The replicas while the metric cannot be read.
    pub fallback: Option<Fallback>,
}

/// `fallback` of a ScaledObject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback {
    /// Number of replicas while the metric cannot be read.
    pub replicas: u32,
    /// `behavior: currentReplicasIfHigher`: keep the current replicas if there are more.
    pub keep_higher: bool,
}

impl Keda {
    /// Returns the metric (in thousandths) that makes the HPA choose the fallback replicas.
    pub(super) fn instead(self, hpa: &Hpa, seen: Observed) -> Option<i64> {
        let fallback = self.fallback?;
        let floor = match fallback.keep_higher {
            true => seen.status_replicas,
            false => 0,
        };
        Some(i64::from(fallback.replicas.max(floor)) * hpa.target_milli)
    }

    /// Returns the replicas if KEDA itself decides, not its HPA. Updates
    /// `active_ms`, the time at which the metric was last positive.
    pub(super) fn decide(self, seen: Observed, active_ms: &mut u64) -> Option<u32> {
        let cooldown = self.to_zero_after_ms?;
        if seen.metric_milli? > 0 {
            *active_ms = seen.now_ms;
            return (seen.spec_replicas == 0).then_some(1);
        }
        (seen.spec_replicas == 0 || seen.now_ms >= *active_ms + cooldown).then_some(0)
    }
}
