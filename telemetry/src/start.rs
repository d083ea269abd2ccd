//! Every series is there from the start.

use metrics::{KeyName, SharedString, Unit, with_recorder};

use crate::{
    Family, Kind, Label,
    catalogue::{self, process::BUILD},
    label::{TOPIC, VERSION},
};

/// What a process does; it decides which families it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Every process.
    Process,
    /// It stands between Falafel and the broker.
    Bridge,
    /// It proves.
    Worker,
    /// It reads or makes keys.
    Keys,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Process, Self::Bridge, Self::Worker, Self::Keys];

    /// The families that it records.
    pub fn families(self) -> &'static [&'static Family] {
        match self {
            Self::Process => catalogue::process::ALL,
            Self::Bridge => catalogue::bridge::ALL,
            Self::Worker => catalogue::worker::ALL,
            Self::Keys => catalogue::keys::ALL,
        }
    }
}

/// Describes the families of `roles` to the recorder and makes all their
/// series, for `topics` alone where topic is a label.
pub fn begin(roles: &[Role], topics: &[&'static str]) {
    for family in roles.iter().flat_map(|role| role.families()) {
        describe(family);
        let make = &mut |values: &[&'static str]| match family.kind {
            Kind::Counter => family.counter(values).increment(0),
            Kind::Gauge => family.gauge(values).increment(0.0),
            Kind::Histogram(_) => drop(family.histogram(values)),
        };
        each(family.labels, topics, &mut Vec::new(), make);
    }
    for version in VERSION.values {
        BUILD.set([version], 1.0);
    }
}

/// How many lines a scrape of a process has, without comments.
pub fn series(roles: &[Role], topics: &[&'static str]) -> usize {
    let lines = |family: &Family| {
        let mut series = 0;
        each(family.labels, topics, &mut Vec::new(), &mut |_| series += 1);
        match family.kind {
            // Its bounds, infinity, sum and count.
            Kind::Histogram(bounds) => series * (bounds.len() + 3),
            Kind::Counter | Kind::Gauge => series,
        }
    };
    let families = roles.iter().flat_map(|role| role.families());
    families.copied().map(lines).sum()
}

fn describe(family: &Family) {
    let name = KeyName::from_const_str(family.name);
    let help = SharedString::const_str(family.help);
    with_recorder(|recorder| match family.kind {
        Kind::Counter => recorder.describe_counter(name, None::<Unit>, help),
        Kind::Gauge => recorder.describe_gauge(name, None, help),
        Kind::Histogram(_) => recorder.describe_histogram(name, None, help),
    });
}

/// Calls `with` for each combination of the labels' values.
fn each(
    labels: &[&Label],
    topics: &[&'static str],
    values: &mut Vec<&'static str>,
    with: &mut dyn FnMut(&[&'static str]),
) {
    let Some((first, rest)) = labels.split_first() else {
        return with(values);
    };
    for value in first.values {
        if first.name == TOPIC.name && !topics.contains(value) {
            continue;
        }
        values.push(value);
        each(rest, topics, values, with);
        values.pop();
    }
}
