//! Decides the outcome of a failed delivery, in one pure function.

use zkwhirl_broker_adapter::Rung;
use zkwhirl_job::{AttemptRecord, Failure, FailureClass};

/// The outcome of a delivery whose attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Another attempt after the rung's delay, by another worker if possible.
    Retry {
        /// The rung whose delay the job waits.
        rung: Rung,
    },
    /// The job becomes a dead letter.
    DeadLetter {
        /// Why, as the text that follows `job 1c9f… parked: `.
        reason: String,
    },
    /// The job goes back to its queue at once, and no attempt is counted.
    HandBack,
}

/// Decides about a failed attempt from its failure, its number (from 1), the
/// earlier attempts and the limit of attempts.
///
/// Only the attempts of the current series count: a replayed job starts again
/// with attempt 1 and keeps its older history.
pub(crate) fn verdict(
    failure: &Failure,
    attempt: u32,
    history: &[AttemptRecord],
    max_attempts: u32,
) -> Verdict {
    if failure.class == FailureClass::Interrupted {
        return Verdict::HandBack;
    }
    let series = history
        .iter()
        .rev()
        .take(attempt.saturating_sub(1) as usize);
    let mut said_invalid = series.filter(|record| record.failure.class == FailureClass::Invalid);
    if failure.class == FailureClass::Invalid
        && let Some(first) = said_invalid.next()
    {
        return Verdict::DeadLetter {
            reason: format!(
                "it can never be proved: {} (first found by {})",
                failure.reason, first.worker
            ),
        };
    }
    if attempt >= max_attempts {
        return Verdict::DeadLetter {
            reason: format!("{attempt} attempts used up, the last: {failure}"),
        };
    }
    let rung = match (failure.class, attempt) {
        // The second attempt need not wait long: the request does not change.
        (FailureClass::Invalid, _) | (_, 0 | 1) => Rung::Short,
        (_, 2) => Rung::Medium,
        _ => Rung::Long,
    };
    Verdict::Retry { rung }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn record(class: FailureClass) -> AttemptRecord {
        AttemptRecord {
            attempt: 1,
            worker: "w1".into(),
            failure: Failure::new(class, "before"),
            duration: Duration::ZERO,
            exit: None,
            stderr_tail: String::new(),
            peak_rss_bytes: None,
        }
    }

    /// The whole table: class, attempt, classes of the history → verdict.
    #[test]
    fn every_verdict() {
        use FailureClass::{Infrastructure, Interrupted, Invalid, Prover};
        let retry = |rung| Verdict::Retry { rung };
        let used_up = |n: u32, class: &str| Verdict::DeadLetter {
            reason: format!("{n} attempts used up, the last: {class}: now"),
        };
        let false_statement = Verdict::DeadLetter {
            reason: "it can never be proved: now (first found by w1)".into(),
        };
        let table: &[(FailureClass, u32, &[FailureClass], Verdict)] = &[
            (Prover, 1, &[], retry(Rung::Short)),
            (Prover, 2, &[Prover], retry(Rung::Medium)),
            (Prover, 3, &[Prover; 2], retry(Rung::Long)),
            (Prover, 4, &[Prover; 3], retry(Rung::Long)),
            (Prover, 5, &[Prover; 4], used_up(5, "prover")),
            (Prover, 9, &[Prover; 8], used_up(9, "prover")),
            (Infrastructure, 1, &[], retry(Rung::Short)),
            (Infrastructure, 2, &[Prover], retry(Rung::Medium)),
            (Infrastructure, 4, &[Infrastructure; 3], retry(Rung::Long)),
            (
                Infrastructure,
                5,
                &[Infrastructure; 4],
                used_up(5, "infrastructure"),
            ),
            (Invalid, 1, &[], retry(Rung::Short)),
            (Invalid, 2, &[Prover], retry(Rung::Short)),
            (Invalid, 2, &[Invalid], false_statement.clone()),
            (Invalid, 3, &[Invalid, Prover], false_statement.clone()),
            (Invalid, 5, &[Prover; 4], used_up(5, "invalid")),
            (Prover, 2, &[Invalid], retry(Rung::Medium)),
            // A replayed job: the failures of earlier series do not count.
            (Invalid, 1, &[Invalid; 2], retry(Rung::Short)),
            (Invalid, 2, &[Invalid, Prover], retry(Rung::Short)),
            (Prover, 1, &[Prover; 5], retry(Rung::Short)),
            (Interrupted, 1, &[], Verdict::HandBack),
            (Interrupted, 5, &[Prover; 4], Verdict::HandBack),
        ];
        for (class, attempt, history, expect) in table {
            let failure = Failure::new(*class, "now");
            let history: Vec<_> = history.iter().map(|class| record(*class)).collect();
            let got = verdict(&failure, *attempt, &history, 5);
            assert_eq!(got, *expect, "{class} at attempt {attempt}");
        }
    }

    #[test]
    fn attempts_are_bounded_for_every_class_that_counts() {
        for class in [
            FailureClass::Invalid,
            FailureClass::Prover,
            FailureClass::Infrastructure,
        ] {
            let failure = Failure::new(class, "now");
            for max_attempts in 1..6 {
                let got = verdict(&failure, max_attempts, &[], max_attempts);
                assert!(matches!(got, Verdict::DeadLetter { .. }), "{class}");
            }
        }
    }
}
