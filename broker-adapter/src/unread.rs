//! Messages that this release cannot read and another one can.
//!
//! A process hands such a message back to the longest rung, as it was: see
//! docs/ARCHITECTURE.md, "Wires". A nack would put it to the head of the queue,
//! and the delivery limit would bury it.
//!
//! The age begins when the first process finds that it cannot read the message.
//! That process adds the time of its own clock to the headers, and every later
//! hand-back keeps it, so neither restarts of workers nor of the broker make the
//! message young again. Times of the publisher would say how old the job is, not
//! how long it has gone unread; RabbitMQ's own `x-death` begins anew with each
//! publishing since 4.0. A time in the future counts as now: the age is wrong by
//! at most what the fleet's clocks differ.

use std::time::Duration;

use zkwhirl_job::{clock::now_ms, envelope::BodyError};

use crate::DeadClass;

/// How long a message waits for a process that can read it, unless configured
/// otherwise.
pub(crate) const UNREAD_LIMIT: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It waits on the longest rung.
    HandBack {
        /// When it was first found unreadable, in milliseconds since the epoch.
        since_ms: u64,
    },
    /// It is a dead letter of this class, with this reason.
    Bury(DeadClass, String),
}

impl Unread {
    /// Decides now about a message whose reader found `why`; `since_ms` is what
    /// the message carries, if it was handed back before.
    pub(crate) fn decide(since_ms: Option<u64>, limit: Duration, why: &BodyError) -> Self {
        Self::decide_at(now_ms(), since_ms, limit, why)
    }

    fn decide_at(now_ms: u64, since_ms: Option<u64>, limit: Duration, why: &BodyError) -> Self {
        if !why.is_other_release() {
            return Self::Bury(DeadClass::Damaged, why.to_string());
        }
        let since_ms = since_ms.unwrap_or(now_ms).min(now_ms);
        if Duration::from_millis(now_ms - since_ms) < limit {
            return Self::HandBack { since_ms };
        }
        let why = format!("no process of the fleet could read it within {limit:?}: {why}");
        Self::Bury(DeadClass::Version, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_begins_at_the_first_look_and_no_clock_stops_it() {
        let (hour, limit) = (3_600_000, UNREAD_LIMIT);
        let why = BodyError::OtherRelease("version 3".to_owned());
        let decide = |since| Unread::decide_at(100 * hour, since, limit, &why);
        let back = |since_ms| Unread::HandBack { since_ms };
        assert_eq!(decide(None), back(100 * hour));
        assert_eq!(decide(Some(77 * hour)), back(77 * hour));
        let expired = decide(Some(76 * hour));
        assert!(matches!(expired, Unread::Bury(DeadClass::Version, _)));
        // A clock that is ahead: from now on the age is counted from now.
        assert_eq!(decide(Some(900 * hour)), back(100 * hour));
    }
}
