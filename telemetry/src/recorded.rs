//! A recorder for tests that keeps the values that one thread records.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Key, KeyName, LocalRecorderGuard, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};

use crate::{Counter, Gauge};

/// The counters and gauges that one thread records.
#[derive(Debug, Default)]
pub struct Recorded(Mutex<HashMap<Key, Arc<AtomicU64>>>);

impl Recorded {
    /// Makes this the recorder of the current thread until the guard is dropped.
    pub fn record(&self) -> LocalRecorderGuard<'_> {
        set_default_local_recorder(self)
    }

    /// The value of a counter.
    pub fn count<const N: usize>(&self, of: &Counter<N>, values: [&'static str; N]) -> u64 {
        self.cell(&of.0.key(&values)).load(Ordering::Relaxed)
    }

    /// The value of a gauge.
    pub fn gauge<const N: usize>(&self, of: &Gauge<N>, values: [&'static str; N]) -> f64 {
        let cell = self.cell(&of.0.key(&values));
        f64::from_bits(cell.load(Ordering::Relaxed))
    }

    fn cell(&self, key: &Key) -> Arc<AtomicU64> {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cells.entry(key.clone()).or_default().clone()
    }
}

impl Recorder for Recorded {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> metrics::Counter {
        metrics::Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> metrics::Gauge {
        metrics::Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::noop()
    }
}
