//! Rate policies: how far the fleet may move within their periods.

use super::{Policy, PolicyKind, Rules, Select};

/// The most replicas that scaling up may reach, or the fewest that scaling down
/// may; `None`: the direction is off, or has no policy.
///
/// `start`: how many replicas there were at the start of a period in
/// milliseconds.
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

/// Changes of one direction, as long as the controller remembers them.
///
/// The controller forgets only when it adds: a new change takes the place of
/// the last one that is older than the direction's longest period. Policies of
/// the *other* direction may look further back, so what exactly is forgotten
/// matters.
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

    /// Replicas changed within the period.
    pub(super) fn within(&self, now: u64, period_ms: u64) -> i64 {
        let recent = self
            .changes
            .iter()
            .filter(|(then, _)| then + period_ms > now);
        recent.map(|(_, replicas)| i64::from(*replicas)).sum()
    }
}
