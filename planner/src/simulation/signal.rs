//! The metric as the autoscaler sees it: delayed, and sometimes missing.

use crate::trace::Blind;

/// The metric's values over time.
#[derive(Debug, Default)]
pub(super) struct History(Vec<(u64, u32)>);

impl History {
    pub(super) fn push(&mut self, now: u64, value: u32) {
        match self.0.last_mut() {
            Some((then, last)) if *then == now => *last = value,
            Some((_, last)) if *last == value => {}
            _ => self.0.push((now, value)),
        }
    }

    /// Returns the value at a time, or 0 before the first value.
    pub(super) fn at(&self, time: u64) -> u32 {
        let after = self.0.partition_point(|(then, _)| *then <= time);
        after.checked_sub(1).map_or(0, |place| self.0[place].1)
    }
}

/// Returns whether all `sources` of the metric are unreachable at a time.
pub(super) fn is_blind(blind: &[Blind], sources: u8, now: u64) -> bool {
    let now_s = now as f64 / 1000.0;
    let is_away = |away: &Blind| (away.from_s..away.to_s).contains(&now_s);
    (0..sources).all(|source| {
        blind
            .iter()
            .any(|away| away.source == source && is_away(away))
    })
}
