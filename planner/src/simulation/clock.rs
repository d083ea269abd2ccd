//! The queue of future events.

use std::{cmp::Reverse, collections::BinaryHeap};

/// An event of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// An outer worker has proved an outer job of this rollup.
    OuterDone(usize),
    /// The pod has proved the job.
    Done { pod: u64, job: usize },
    /// The pod can claim jobs.
    Ready(u64),
    /// The pod is lost.
    Lost(u64),
    /// The trace takes away this number of pods.
    LostMany(u32),
    /// Falafel requests the rollup.
    Arrives(usize),
    /// The autoscaler syncs.
    Sync,
}

/// The events in the order of their times. Events at the same time have the
/// order of [`Event`], so that jobs and pods end before the autoscaler syncs.
#[derive(Debug, Default)]
pub(super) struct Clock {
    now: u64,
    events: BinaryHeap<Reverse<(u64, Event)>>,
}

impl Clock {
    /// Returns the milliseconds since the start.
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
