//! What KEDA adds to the HPA that it makes: scale to zero while there is no
//! work, and a fallback number of replicas while the metric cannot be read.

use super::{Hpa, Observed};

/// KEDA's side of a ScaledObject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keda {
    /// `minReplicaCount: 0`: no pods once the metric was zero for so long
    /// (`cooldownPeriod`).
    pub to_zero_after_ms: Option<u64>,
    /// For when the metric cannot be had.
    pub fallback: Option<Fallback>,
}

/// `fallback` of a ScaledObject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback {
    /// Replicas to assume.
    pub replicas: u32,
    /// `behavior: currentReplicasIfHigher`.
    pub keep_higher: bool,
}

impl Keda {
    /// The metric that makes the HPA arrive at the fallback.
    pub(super) fn instead(self, hpa: &Hpa, seen: Observed) -> Option<i64> {
        let fallback = self.fallback?;
        let floor = match fallback.keep_higher {
            true => seen.status_replicas,
            false => 0,
        };
        Some(i64::from(fallback.replicas.max(floor)) * hpa.target_milli)
    }

    /// Replicas, where KEDA decides past its HPA. `active_ms`: when there was
    /// something to do last.
    pub(super) fn decide(self, seen: Observed, active_ms: &mut u64) -> Option<u32> {
        let cooldown = self.to_zero_after_ms?;
        if seen.metric_milli? > 0 {
            *active_ms = seen.now_ms;
            return (seen.spec_replicas == 0).then_some(1);
        }
        (seen.spec_replicas == 0 || seen.now_ms >= *active_ms + cooldown).then_some(0)
    }
}
