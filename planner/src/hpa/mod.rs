//! Simulates Kubernetes' HorizontalPodAutoscaler for one external metric with a target
//! per pod: exactly what `pkg/controller/podautoscaler` computes at each sync.
//!
//! The stages have Kubernetes' order: a proposal from the metric and the
//! tolerance; stabilisation, which keeps the fleet between the lowest recent
//! proposal (up window) and the highest (down window); the rate policies; the
//! limits. [`crate::golden`] replays 3,840 recorded decisions of Kubernetes'
//! code (`tests/vectors/golden_hpa.json`) without a difference.

mod keda;
pub(crate) mod manifest;
mod rates;
mod spec;

pub use keda::{Fallback, Keda};
pub use manifest::{FieldError, HpaManifestError};
pub use spec::{Behavior, Hpa, Policy, PolicyKind, Rules, Select};

use std::cmp::Ordering;

use rates::Changes;

/// The controller's default sync period
/// (`--horizontal-pod-autoscaler-sync-period`), in milliseconds.
pub const SYNC_MS: u64 = 15_000;
/// The controller's default tolerance
/// (`--horizontal-pod-autoscaler-tolerance`).
pub(crate) const TOLERANCE: f64 = 0.1;

/// The controller's input at one sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// Time in milliseconds on any monotonic clock.
    pub now_ms: u64,
    /// `spec.replicas` of the Deployment.
    pub spec_replicas: u32,
    /// `status.replicas`: the pods that are not terminating, ready or not.
    pub status_replicas: u32,
    /// The sum of the metric in thousandths; `None` if the metric cannot be read.
    pub metric_milli: Option<i64>,
}

/// The controller's state for one HPA.
#[derive(Debug, Clone)]
pub struct Autoscaler {
    hpa: Hpa,
    proposals: Vec<(u64, u32)>,
    ups: Changes,
    downs: Changes,
    /// When the metric was last positive, in milliseconds.
    active_ms: u64,
}

impl Autoscaler {
    /// Creates the state of a controller that has not yet synced the HPA.
    pub fn new(hpa: Hpa) -> Self {
        let changes = |rules: fn(&Behavior) -> &Rules| {
            let rules = hpa.behavior.as_ref().map(rules);
            let policies = rules.iter().flat_map(|rules| &rules.policies);
            Changes::kept_for(policies.map(Policy::period_ms).max().unwrap_or(0))
        };
        Self {
            ups: changes(|behavior| &behavior.up),
            downs: changes(|behavior| &behavior.down),
            proposals: Vec::new(),
            active_ms: 0,
            hpa,
        }
    }

    /// Runs one sync and returns the new `spec.replicas`.
    pub fn sync(&mut self, mut seen: Observed) -> u32 {
        if let Some(keda) = self.hpa.keda {
            if let Some(decided) = keda.decide(seen, &mut self.active_ms) {
                return decided;
            }
            seen.metric_milli = seen.metric_milli.or_else(|| keda.instead(&self.hpa, seen));
        }
        let current = seen.spec_replicas;
        if self.proposals.is_empty() {
            self.proposals.push((seen.now_ms, current));
        }
        let (min, max) = (self.hpa.min, self.hpa.max);
        let desired = if current == 0 && min != 0 {
            return 0; // autoscaling is off
        } else if current > max {
            max
        } else if current < min {
            min
        } else {
            let Some(proposal) = self.proposal(seen) else {
                return current; // no metric: frozen
            };
            let calm = self.stabilise(seen.now_ms, current, proposal);
            self.limit(seen.now_ms, current, calm)
        };
        self.remember(seen.now_ms, current, desired);
        desired
    }

    /// Returns the replicas that the metric and the tolerance alone give.
    fn proposal(&self, seen: Observed) -> Option<u32> {
        let metric = seen.metric_milli? as f64;
        let target = self.hpa.target_milli as f64;
        let ratio = metric / (target * f64::from(seen.status_replicas));
        let (up, down) = self.hpa.tolerances();
        if 1.0 - down <= ratio && ratio <= 1.0 + up {
            return Some(seen.status_replicas);
        }
        Some((metric / target).ceil() as u32)
    }

    /// Moves `current` into the range from the lowest proposal of the up window
    /// to the highest of the down window, and records `proposal`.
    fn stabilise(&mut self, now: u64, current: u32, proposal: u32) -> u32 {
        let (up_window, down_window) = self.hpa.windows_ms();
        let (mut lowest, mut highest) = (proposal, proposal);
        let within = |then: u64, window: u64| then + window > now;
        for (then, proposal) in &self.proposals {
            if within(*then, up_window) {
                lowest = lowest.min(*proposal);
            }
            if within(*then, down_window) {
                highest = highest.max(*proposal);
            }
        }
        self.proposals
            .retain(|(then, _)| within(*then, up_window.max(down_window)));
        self.proposals.push((now, proposal));
        current.max(lowest).min(highest)
    }

    /// Applies the rate policies, then the limits.
    fn limit(&self, now: u64, current: u32, desired: u32) -> u32 {
        let Some(behavior) = &self.hpa.behavior else {
            // Without `behavior`, Kubernetes allows twice the pods or four pods at each sync.
            let fastest = (2 * current).max(4);
            return desired.min(fastest).clamp(self.hpa.min, self.hpa.max);
        };
        let added = |period| self.ups.within(now, period);
        let removed = |period| self.downs.within(now, period);
        let start = |period| i64::from(current) - added(period) + removed(period);
        let (from, to) = (i64::from(current), i64::from(desired));
        let furthest = |rules, up| rates::furthest(rules, up, start).unwrap_or(from);
        let limited = match to.cmp(&from) {
            Ordering::Greater => to.min(furthest(&behavior.up, true).max(from)),
            Ordering::Less => to.max(furthest(&behavior.down, false).min(from)),
            Ordering::Equal => to,
        };
        limited.clamp(self.hpa.min.into(), self.hpa.max.into()) as u32
    }

    fn remember(&mut self, now: u64, before: u32, after: u32) {
        if after > before {
            self.ups.add(now, after - before);
        } else if after < before {
            self.downs.add(now, before - after);
        }
    }
}

#[cfg(test)]
mod tests;
