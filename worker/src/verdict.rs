//! What becomes of a delivery: one pure function.

use zkwhirl_broker_adapter::Rung;
use zkwhirl_job::{AttemptRecord, Failure, FailureClass};

/// What may be tried how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Attempts before a job is a dead letter. The bridge must have the same.
    pub max_attempts: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_attempts: 5 }
    }
}

/// What becomes of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The result is confirmed: done.
    Ack,
    /// Another attempt after the rung's delay, by another worker if possible.
    Retry {
        /// How long it waits.
        rung: Rung,
    },
    /// Given up on; the reason follows `job 1c9f… parked: `.
    DeadLetter {
        /// Why.
        reason: String,
    },
    /// The job goes back at once, and this was no attempt.
    HandBack,
}

/// Decides about an attempt from how it ended, its number (from 1) and the
/// attempts before it.
///
/// Only the attempts of the current series count: a replayed job starts again
/// with attempt 1 and keeps its older history.
pub fn verdict(
    outcome: Result<(), &Failure>,
    attempt: u32,
    history: &[AttemptRecord],
    policy: &Policy,
) -> Verdict {
    let Err(failure) = outcome else {
        return Verdict::Ack;
    };
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
    if attempt >= policy.max_attempts {
        return Verdict::DeadLetter {
            reason: format!("{attempt} attempts used up, the last: {failure}"),
        };
    }
    let rung = match (failure.class, attempt) {
        // A second opinion is not waited for: the request will not get better.
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
        let dead = |reason: &str| Verdict::DeadLetter {
            reason: reason.into(),
        };
        let false_statement = "it can never be proved: now (first found by w1)";
        let table: &[(FailureClass, u32, &[FailureClass], Verdict)] = &[
            (Prover, 1, &[], retry(Rung::Short)),
            (Prover, 2, &[Prover], retry(Rung::Medium)),
            (Prover, 3, &[Prover; 2], retry(Rung::Long)),
            (Prover, 4, &[Prover; 3], retry(Rung::Long)),
            (
                Prover,
                5,
                &[Prover; 4],
                dead("5 attempts used up, the last: prover: now"),
            ),
            (
                Prover,
                9,
                &[Prover; 8],
                dead("9 attempts used up, the last: prover: now"),
            ),
            (Infrastructure, 1, &[], retry(Rung::Short)),
            (Infrastructure, 2, &[Prover], retry(Rung::Medium)),
            (Infrastructure, 4, &[Infrastructure; 3], retry(Rung::Long)),
            (
                Infrastructure,
                5,
                &[Infrastructure; 4],
                dead("5 attempts used up, the last: infrastructure: now"),
            ),
            (Invalid, 1, &[], retry(Rung::Short)),
            (Invalid, 2, &[Prover], retry(Rung::Short)),
            (Invalid, 2, &[Invalid], dead(false_statement)),
            (Invalid, 3, &[Invalid, Prover], dead(false_statement)),
            (
                Invalid,
                5,
                &[Prover; 4],
                dead("5 attempts used up, the last: invalid: now"),
            ),
            (Prover, 2, &[Invalid], retry(Rung::Medium)),
            // Replayed: what was said before does not count.
            (Invalid, 1, &[Invalid; 2], retry(Rung::Short)),
            (Invalid, 2, &[Invalid, Prover], retry(Rung::Short)),
            (Prover, 1, &[Prover; 5], retry(Rung::Short)),
            (Interrupted, 1, &[], Verdict::HandBack),
            (Interrupted, 5, &[Prover; 4], Verdict::HandBack),
        ];
        for (class, attempt, history, expect) in table {
            let failure = Failure::new(*class, "now");
            let history: Vec<_> = history.iter().map(|class| record(*class)).collect();
            let got = verdict(Err(&failure), *attempt, &history, &Policy::default());
            assert_eq!(got, *expect, "{class} at attempt {attempt}");
        }
    }

    #[test]
    fn success_is_acknowledged_whatever_was_before() {
        for attempt in 1..8 {
            let got = verdict(Ok(()), attempt, &[], &Policy::default());
            assert_eq!(got, Verdict::Ack);
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
                let got = verdict(Err(&failure), max_attempts, &[], &Policy { max_attempts });
                assert!(matches!(got, Verdict::DeadLetter { .. }), "{class}");
            }
        }
    }
}
