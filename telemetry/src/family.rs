//! A metric with its labels. The number of labels is part of the type.

use metrics::{Key, Level, Metadata, with_recorder};

use crate::Label;

/// A metric's type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A count that only increases.
    Counter,
    /// A value that can increase and decrease.
    Gauge,
    /// A distribution, with the upper bounds of its buckets.
    Histogram(&'static [f64]),
}

/// A metric's declaration.
#[derive(Debug, PartialEq)]
pub struct Family {
    /// The metric's name, which ends in the unit.
    pub name: &'static str,
    /// The metric's type.
    pub kind: Kind,
    /// What the metric measures, as one sentence.
    pub help: &'static str,
    /// The metric's labels.
    pub labels: &'static [&'static Label],
}

/// A family of counters.
#[derive(Debug)]
pub struct Counter<const N: usize>(pub(crate) Family);

/// A family of gauges.
#[derive(Debug)]
pub struct Gauge<const N: usize>(pub(crate) Family);

/// A family of histograms.
#[derive(Debug)]
pub struct Histogram<const N: usize>(pub(crate) Family);

const METADATA: Metadata<'static> = Metadata::new("zkwhirl", Level::INFO, None);

impl Family {
    /// The key of one series.
    pub(crate) fn key(&self, values: &[&'static str]) -> Key {
        debug_assert!(self.has(values), "{} has no series {values:?}", self.name);
        let labels = self.labels.iter().zip(values);
        let labels: Vec<_> = labels
            .map(|(label, value)| metrics::Label::from_static_parts(label.name, value))
            .collect();
        Key::from_parts(self.name, labels)
    }

    /// True if the labels can have these values.
    pub(crate) fn has(&self, values: &[&str]) -> bool {
        let mut both = self.labels.iter().zip(values);
        self.labels.len() == values.len() && both.all(|(label, value)| label.values.contains(value))
    }

    pub(crate) fn counter(&self, values: &[&'static str]) -> metrics::Counter {
        with_recorder(|recorder| recorder.register_counter(&self.key(values), &METADATA))
    }

    pub(crate) fn gauge(&self, values: &[&'static str]) -> metrics::Gauge {
        with_recorder(|recorder| recorder.register_gauge(&self.key(values), &METADATA))
    }

    pub(crate) fn histogram(&self, values: &[&'static str]) -> metrics::Histogram {
        with_recorder(|recorder| recorder.register_histogram(&self.key(values), &METADATA))
    }
}

impl<const N: usize> Counter<N> {
    /// The counter of these label values, for a caller that counts often. Call
    /// this after the recorder was installed.
    pub fn of(&self, values: [&'static str; N]) -> metrics::Counter {
        self.0.counter(&values)
    }

    /// Increments the counter by one.
    pub fn one(&self, values: [&'static str; N]) {
        self.of(values).increment(1);
    }
}

impl<const N: usize> Gauge<N> {
    /// The gauge of these label values.
    pub fn of(&self, values: [&'static str; N]) -> metrics::Gauge {
        self.0.gauge(&values)
    }

    /// Sets the gauge.
    pub fn set(&self, values: [&'static str; N], value: f64) {
        self.of(values).set(value);
    }
}

impl<const N: usize> Histogram<N> {
    /// The histogram of these label values.
    pub fn of(&self, values: [&'static str; N]) -> metrics::Histogram {
        self.0.histogram(&values)
    }

    /// Records a value in the metric's base unit, seconds or bytes.
    pub fn record(&self, values: [&'static str; N], value: impl metrics::IntoF64) {
        self.of(values).record(value);
    }
}
