//! Rate policies: how far the fleet may move within their periods.

use super::{Policy, PolicyKind, Rules, Select};

/// The most replicas that scaling up may reach.
///
/// `start`: how many replicas there were at the start of a period in
/// milliseconds.
pub(super) fn upper(rules: &Rules, current: u32, start: impl Fn(u64) -> i64) -> i64 {
    let reach = |policy: &Policy| {
        let start = start(policy.period_ms);
        match policy.kind {
            PolicyKind::Pods => start + i64::from(policy.value),
            PolicyKind::Percent => {
                (start as f64 * (1.0 + f64::from(policy.value) / 100.0)).ceil() as i64
            }
        }
    };
    let reached = rules.policies.iter().map(reach);
    let limit = match rules.select {
        Select::Max => reached.max(),
        Select::Min => reached.min(),
        Select::Disabled => None,
    };
    limit.unwrap_or(current.into())
}

/// The fewest replicas that scaling down may reach.
pub(super) fn lower(rules: &Rules, current: u32, start: impl Fn(u64) -> i64) -> i64 {
    let reach = |policy: &Policy| {
        let start = start(policy.period_ms);
        match policy.kind {
            PolicyKind::Pods => start - i64::from(policy.value),
            PolicyKind::Percent => (start as f64 * (1.0 - f64::from(policy.value) / 100.0)) as i64,
        }
    };
    let reached = rules.policies.iter().map(reach);
    let limit = match rules.select {
        Select::Max => reached.min(),
        Select::Min => reached.max(),
        Select::Disabled => None,
    };
    limit.unwrap_or(current.into())
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
