//! The queue of future events.

use std::{cmp::Reverse, collections::BinaryHeap};

/// Something that happens at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// An outer worker has proved a rollup's job.
    OuterDone(usize),
    /// A pod has proved its job of this number.
    Done { pod: u64, job: usize },
    /// A pod can claim jobs.
    Ready(u64),
    /// A pod is lost.
    Lost(u64),
    /// Pods are lost by the trace.
    LostMany(u32),
    /// Falafel wants a rollup.
    Arrives(usize),
    /// The autoscaler looks.
    Sync,
}

/// Events in the order of their times; at one time in the order of [`Event`],
/// so that what ends is seen to end before the autoscaler looks.
#[derive(Debug, Default)]
pub(super) struct Clock {
    now: u64,
    events: BinaryHeap<Reverse<(u64, Event)>>,
}

impl Clock {
    /// Milliseconds since the start.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    pub(super) fn at(&mut self, time: u64, event: Event) {
        self.events.push(Reverse((time.max(self.now), event)));
    }

    pub(super) fn after(&mut self, delay: u64, event: Event) {
        self.at(self.now.saturating_add(delay), event);
    }

    pub(super) fn next(&mut self) -> Option<Event> {
        let Reverse((time, event)) = self.events.pop()?;
        self.now = time;
        Some(event)
    }
}
