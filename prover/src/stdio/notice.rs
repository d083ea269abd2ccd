//! Notices: lines that zkWhirl's own prover children write on standard error
//! among their log lines.
//!
//! The notices are `@zkwhirl progress <phase> <fraction>`,
//! `@zkwhirl failure <class> <reason>`, `@zkwhirl key <circuit>` and `@zkwhirl
//! sample <metric> <value> <label values>`. A later release may add kinds of
//! notices, and fields at the end of a notice. **Invariant:** a supervisor ignores
//! unknown kinds and fields; no notice is an error.

use zkwhirl_job::{Failure, FailureClass};
use zkwhirl_telemetry::Sample;

use crate::{Phase, Progress};

const MARK: &str = "@zkwhirl ";

/// A notice of a prover child.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The progress of the attempt.
    Progress(Progress),
    /// Why the reply that follows is empty.
    Failure(Failure),
    /// The proving key of a circuit is loaded.
    Key(String),
    /// A measurement.
    Sample(Sample),
}

/// A line on standard error.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum StderrLine {
    /// A notice of a kind that this release knows.
    Notice(Notice),
    /// A notice that this release cannot read, which is ignored.
    Unknown,
    /// A log line.
    Log,
}

impl Notice {
    /// The notice as a line, without the newline.
    pub fn to_line(&self) -> String {
        match self {
            Self::Progress(progress) => {
                format!("{MARK}progress {} {:.3}", progress.phase, progress.fraction)
            }
            Self::Failure(failure) => {
                let reason = failure.reason.replace(['\n', '\r'], " ");
                format!("{MARK}failure {} {reason}", failure.class)
            }
            Self::Key(circuit) => format!("{MARK}key {circuit}"),
            Self::Sample(sample) => format!("{MARK}sample {}", sample.to_line()),
        }
    }

    fn parse(notice: &str) -> Option<Self> {
        let (kind, fields) = notice.split_once(' ')?;
        match kind {
            "progress" => progress(fields).map(Self::Progress),
            "failure" => failure(fields).map(Self::Failure),
            "key" => fields
                .split_whitespace()
                .next()
                .map(|circuit| Self::Key(circuit.to_owned())),
            "sample" => sample(fields).map(Self::Sample),
            _ => None,
        }
    }
}

impl StderrLine {
    pub(super) fn read(line: &str) -> Self {
        match line.strip_prefix(MARK) {
            Some(notice) => Notice::parse(notice).map_or(Self::Unknown, Self::Notice),
            None => Self::Log,
        }
    }
}

fn progress(fields: &str) -> Option<Progress> {
    let mut fields = fields.split_whitespace();
    let phase = Phase::from_name(fields.next()?)?;
    let fraction: f32 = fields.next()?.parse().ok()?;
    Some(phase.at(fraction.clamp(0.0, 1.0)))
}

/// Reads a class and a reason, which is the rest of the line. A class that this
/// release does not know becomes `Prover`, so that the job is tried again.
fn failure(fields: &str) -> Option<Failure> {
    let (class, reason) = fields.split_once(' ')?;
    let known = [
        FailureClass::Invalid,
        FailureClass::Prover,
        FailureClass::Infrastructure,
        FailureClass::Interrupted,
    ];
    let class = known.into_iter().find(|known| known.to_string() == class);
    Some(Failure::new(class.unwrap_or(FailureClass::Prover), reason))
}

/// Reads a sample of a metric that this release knows. Label values that a later
/// release added at the end are dropped.
fn sample(fields: &str) -> Option<Sample> {
    let mut known = fields;
    loop {
        if let Some(sample) = Sample::parse(known) {
            return Some(sample);
        }
        (known, _) = known.rsplit_once(' ')?;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use zkwhirl_telemetry::catalogue::keys::KEY_LOAD_SECONDS;

    use super::*;

    fn notices() -> [Notice; 4] {
        let loaded = Duration::from_millis(1_500);
        [
            Notice::Progress(Phase::Prove.at(0.25)),
            Notice::Failure(Failure::invalid("tx 3: the fee is not paid")),
            Notice::Key("tx-rollup/poseidon/1".into()),
            Notice::Sample(Sample::seconds(&KEY_LOAD_SECONDS, ["made"], loaded)),
        ]
    }

    #[test]
    fn notices_survive_the_line_and_log_lines_are_no_notices() {
        for notice in notices() {
            let line = notice.to_line();
            assert_eq!(StderrLine::read(&line), StderrLine::Notice(notice));
        }
        for line in ["Creating proof...", "", "@zkwhirl", "zkwhirl key a"] {
            assert_eq!(StderrLine::read(line), StderrLine::Log);
        }
    }

    #[test]
    fn kinds_and_values_of_a_later_release_are_ignored() {
        for line in [
            "@zkwhirl ",
            "@zkwhirl key",
            "@zkwhirl heartbeat 17 ok",
            "@zkwhirl progress fly 0.1",
            "@zkwhirl progress prove soon",
            "@zkwhirl sample zkwhirl_nothing_seconds 1",
        ] {
            assert_eq!(StderrLine::read(line), StderrLine::Unknown, "{line}");
        }
    }

    #[test]
    fn fields_of_a_later_release_are_ignored() {
        let [progress, _, key, sample] = notices();
        for notice in [progress, key, sample] {
            let line = format!("{} added since", notice.to_line());
            assert_eq!(StderrLine::read(&line), StderrLine::Notice(notice));
        }
        // An unknown class becomes `Prover` and keeps its reason.
        let throttled = StderrLine::read("@zkwhirl failure throttled the card is too hot");
        let failure = Failure::prover("the card is too hot");
        assert_eq!(throttled, StderrLine::Notice(Notice::Failure(failure)));
    }
}
