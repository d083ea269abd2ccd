//! Samples that a process without `/metrics` sends to a process with it.

use std::{sync::Arc, time::Duration};

use metrics::{
    Counter, CounterFn, Gauge, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::{Family, Histogram, Kind, Role};

/// A counter's increment or a histogram's value that one process sends to another
/// as one line of text: `name value label-value …`. Gauges are not forwarded.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    family: &'static Family,
    values: Vec<&'static str>,
    value: f64,
}

impl Sample {
    /// A sample of a duration, for a histogram of seconds.
    pub fn seconds<const N: usize>(
        histogram: &'static Histogram<N>,
        values: [&'static str; N],
        duration: Duration,
    ) -> Self {
        Self {
            family: &histogram.0,
            values: values.to_vec(),
            value: duration.as_secs_f64(),
        }
    }

    /// The sample as a line of text, which [`Self::parse`] reads.
    pub fn to_line(&self) -> String {
        let values = self.values.join(" ");
        format!("{} {} {values}", self.family.name, self.value)
    }

    /// Parses a line; `None` if the catalogue has no such counter or histogram, or
    /// if the value is negative or not finite.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let name = words.next()?;
        let value: f64 = words.next()?.parse().ok()?;
        let given: Vec<_> = words.take(8).collect();
        let mut families = Role::ALL.into_iter().flat_map(Role::families);
        let family = families.find(|family| family.name == name)?;
        let fits = family.kind != Kind::Gauge && family.has(&given);
        if !fits || !value.is_finite() || value < 0.0 {
            return None;
        }
        // The catalogue's own strings, which are 'static.
        let labels = family.labels.iter().zip(&given);
        let own = labels.filter_map(|(label, given)| label.values.iter().find(|own| *own == given));
        Some(Self {
            family,
            values: own.copied().collect(),
            value,
        })
    }

    /// Records the sample in this process's recorder.
    pub fn record(&self) {
        match self.family.kind {
            Kind::Counter => self
                .family
                .counter(&self.values)
                .increment(self.value as u64),
            Kind::Histogram(_) => self.family.histogram(&self.values).record(self.value),
            Kind::Gauge => {}
        }
    }
}

/// Installs a recorder that passes every count and measurement of this process
/// to `send`. Call this once, before anything is recorded.
pub fn forward(send: fn(&Sample)) {
    // An earlier recorder stays.
    let _ = metrics::set_global_recorder(Forward(send));
}

struct Forward(fn(&Sample));

/// One series whose values are passed to `send`.
struct Series {
    key: Key,
    send: fn(&Sample),
}

impl Series {
    fn of(forward: &Forward, key: &Key) -> Arc<Self> {
        let (key, send) = (key.clone(), forward.0);
        Arc::new(Self { key, send })
    }

    fn send(&self, value: f64) {
        let values: Vec<_> = self.key.labels().map(metrics::Label::value).collect();
        let line = format!("{} {value} {}", self.key.name(), values.join(" "));
        if let Some(sample) = Sample::parse(&line) {
            (self.send)(&sample);
        }
    }
}

impl CounterFn for Series {
    fn increment(&self, value: u64) {
        self.send(value as f64);
    }

    /// Not forwarded: zkWhirl sets no counter to an absolute value.
    fn absolute(&self, _: u64) {}
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.send(value);
    }
}

impl Recorder for Forward {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Series::of(self, key))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::from_arc(Series::of(self, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::keys::KEY_LOAD_SECONDS;

    #[test]
    fn a_sample_survives_the_line_and_what_is_in_no_catalogue_is_none() {
        let sample = Sample::seconds(&KEY_LOAD_SECONDS, ["disk"], Duration::from_millis(30));
        assert_eq!(sample.to_line(), "zkwhirl_key_load_seconds 0.03 disk");
        assert_eq!(Sample::parse(&sample.to_line()), Some(sample));
        for line in [
            "",
            "zkwhirl_key_load_seconds",
            "zkwhirl_key_load_seconds 0.03",
            "zkwhirl_key_load_seconds 0.03 elsewhere",
            "zkwhirl_key_load_seconds 0.03 disk disk",
            "zkwhirl_key_load_seconds -1 disk",
            "zkwhirl_key_load_seconds NaN disk",
            "zkwhirl_nothing_seconds 0.03 disk",
            // A gauge is not forwarded.
            "zkwhirl_start_timestamp_seconds 1",
        ] {
            assert_eq!(Sample::parse(line), None, "{line}");
        }
    }
}
