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
}

/// When there was something to do.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity {
    last_ms: u64,
}

impl Activity {
    /// Replicas, where KEDA decides past its HPA.
    pub(super) fn decide(&mut self, keda: Keda, seen: Observed) -> Option<u32> {
        let cooldown = keda.to_zero_after_ms?;
        if seen.metric_milli? > 0 {
            self.last_ms = seen.now_ms;
            return (seen.spec_replicas == 0).then_some(1);
        }
        (seen.spec_replicas == 0 || seen.now_ms >= self.last_ms + cooldown).then_some(0)
    }
}
