//! What our own prover children say on standard error besides log lines.
//!
//! One line each: `@zkwhirl progress <phase> <fraction>` and
//! `@zkwhirl failure <class> <reason>`. A supervisor that does not know them
//! sees two odd log lines; one that does shows progress and keeps the reason.

use zkwhirl_job::{Failure, FailureClass};

use crate::{Phase, Progress};

const MARK: &str = "@zkwhirl ";

/// A line on standard error that means something to the supervisor.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// How far the attempt is.
    Progress(Progress),
    /// Why the reply that follows is empty.
    Failure(Failure),
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
        }
    }

    /// Reads a line; `None` for ordinary log lines.
    pub fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.strip_prefix(MARK)?.split_once(' ')?;
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
    use super::*;

    #[test]
    fn notices_survive_the_line_and_other_lines_are_none() {
        let notices = [
            Notice::Progress(Progress {
                phase: Phase::Prove,
                fraction: 0.25,
            }),
            Notice::Failure(Failure::invalid("tx 3: the fee is not paid")),
        ];
        for notice in notices {
            assert_eq!(Notice::parse(&notice.to_line()), Some(notice));
        }
        for line in [
            "Creating proof...",
            "@zkwhirl ",
            "@zkwhirl progress fly 0.1",
            "",
        ] {
            assert_eq!(Notice::parse(line), None);
        }
    }
}
