//! Creates every series at the start.

use metrics::{KeyName, SharedString, Unit, with_recorder};

use crate::{
    Family, Kind, Label,
    catalogue::{self, process::BUILD},
    label::{TOPIC, VERSION},
};

/// A part of a process's work, which determines its metric families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Every process.
    Process,
    /// A process with a bridge between Falafel and the broker.
    Bridge,
    /// A process with slots that prove.
    Worker,
    /// A process that loads or generates keys.
    Keys,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Process, Self::Bridge, Self::Worker, Self::Keys];

    /// The families that the role records.
    pub fn families(self) -> &'static [&'static Family] {
        match self {
            Self::Process => catalogue::process::ALL,
            Self::Bridge => catalogue::bridge::ALL,
            Self::Worker => catalogue::worker::ALL,
            Self::Keys => catalogue::keys::ALL,
        }
    }
}

/// Describes the families of `roles` to the recorder and creates all their
/// series; where topic is a label, only for `topics`.
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

/// The number of lines in a scrape of a process, without comments.
pub fn series(roles: &[Role], topics: &[&'static str]) -> usize {
    let lines = |family: &Family| {
        let mut series = 0;
        each(family.labels, topics, &mut Vec::new(), &mut |_| series += 1);
        match family.kind {
            // A line per bound, and lines for infinity, sum and count.
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
