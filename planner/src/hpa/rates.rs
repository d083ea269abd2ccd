//! Rate policies: how much the fleet may grow or shrink within a period.

use super::{Policy, PolicyKind, Rules, Select};

/// Returns the most replicas that scaling up may reach, or the fewest for
/// scaling down; `None` if the direction is disabled or has no policy.
///
/// `start` returns the number of replicas at the start of a period, which is
/// given in milliseconds.
pub(super) fn furthest(rules: &Rules, up: bool, start: impl Fn(u64) -> i64) -> Option<i64> {
    let reach = |policy: &Policy| {
        let start = start(policy.period_ms());
        let part = f64::from(policy.value) / 100.0;
        match (policy.kind, up) {
            (PolicyKind::Pods, true) => start + i64::from(policy.value),
            (PolicyKind::Pods, false) => start - i64::from(policy.value),
            (PolicyKind::Percent, true) => (start as f64 * (1.0 + part)).ceil() as i64,
            (PolicyKind::Percent, false) => (start as f64 * (1.0 - part)) as i64,
        }
    };
    let reached = rules.policies.iter().map(reach);
    match (rules.select, up) {
        (Select::Max, true) | (Select::Min, false) => reached.max(),
        (Select::Max, false) | (Select::Min, true) => reached.min(),
        (Select::Disabled, _) => None,
    }
}

/// The changes of one direction that the controller remembers.
///
/// The controller forgets a change only when it adds one: the new change
/// replaces the last one that is older than the direction's longest period.
/// Policies of the *other* direction may have a longer period, so it matters
/// which changes are forgotten.
#[derive(Debug, Clone)]
pub(super) struct Changes {
    longest_ms: u64,
    changes: Vec<(u64, u32)>,
}

impl Changes {
    pub(super) fn kept_for(longest_ms: u64) -> Self {
        Self {
            longest_ms,
            changes: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, now: u64, replicas: u32) {
        let outdated = |(then, _): &(u64, u32)| then + self.longest_ms < now;
        match self.changes.iter().rposition(outdated) {
            Some(place) => self.changes[place] = (now, replicas),
            None => self.changes.push((now, replicas)),
        }
    }

    /// Returns how many replicas were added or removed within the period.
    pub(super) fn within(&self, now: u64, period_ms: u64) -> i64 {
        let recent = self
            .changes
            .iter()
            .filter(|(then, _)| then + period_ms > now);
        recent.map(|(_, replicas)| i64::from(*replicas)).sum()
    }
}
