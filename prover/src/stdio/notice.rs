//! What our own prover children say on standard error besides log lines.
//!
//! One line each: `@zkwhirl progress <phase> <fraction>`,
//! `@zkwhirl failure <class> <reason>`, `@zkwhirl key <circuit>` and `@zkwhirl
//! sample <metric> <value> <label values>`. A supervisor that does not know them
//! sees odd log lines; one that does shows progress and keeps the reason.

use zkwhirl_job::{Failure, FailureClass};
use zkwhirl_telemetry::Sample;

use crate::{Phase, Progress};

const MARK: &str = "@zkwhirl ";

/// A line on standard error that means something to the supervisor.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// How far the attempt is.
    Progress(Progress),
    /// Why the reply that follows is empty.
    Failure(Failure),
    /// The proving key of a circuit is loaded.
    Key(String),
    /// Something was measured.
    Sample(Sample),
}

impl Notice {
    /// The line, without its end.
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

    /// Reads a line; `None` for ordinary log lines.
    pub fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.strip_prefix(MARK)?.split_once(' ')?;
        match word {
            "sample" => return Sample::parse(rest).map(Self::Sample),
            "key" => return Some(Self::Key(rest.to_owned())),
            _ => {}
        }
        let (first, second) = rest.split_once(' ')?;
        match word {
            "progress" => {
                let fraction: f32 = second.parse().ok()?;
                Some(Self::Progress(Progress {
                    phase: Phase::from_name(first)?,
                    fraction: fraction.clamp(0.0, 1.0),
                }))
            }
            "failure" => {
                let class = [
                    FailureClass::Invalid,
                    FailureClass::Prover,
                    FailureClass::Infrastructure,
                    FailureClass::Interrupted,
                ]
                .into_iter()
                .find(|class| class.to_string() == first)?;
                Some(Self::Failure(Failure::new(class, second)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use zkwhirl_telemetry::catalogue::keys::KEY_LOAD_SECONDS;

    use super::*;

    #[test]
    fn notices_survive_the_line_and_other_lines_are_none() {
        let notices = [
            Notice::Progress(Progress {
                phase: Phase::Prove,
                fraction: 0.25,
            }),
            Notice::Failure(Failure::invalid("tx 3: the fee is not paid")),
            Notice::Key("tx-rollup/poseidon/1".into()),
            Notice::Sample(Sample::seconds(
                &KEY_LOAD_SECONDS,
                ["made"],
                std::time::Duration::from_millis(1_500),
            )),
        ];
        for notice in notices {
            assert_eq!(Notice::parse(&notice.to_line()), Some(notice));
        }
        for line in [
            "Creating proof...",
            "@zkwhirl ",
            "@zkwhirl progress fly 0.1",
            "@zkwhirl sample zkwhirl_nothing_seconds 1",
            "",
        ] {
            assert_eq!(Notice::parse(line), None);
        }
    }
}
