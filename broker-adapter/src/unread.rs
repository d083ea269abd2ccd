//! Decides about messages that this release cannot read, but another release can.
//!
//! A process returns such a message unchanged to the longest rung: see
//! docs/ARCHITECTURE.md, "Wires". A nack would put the message to the head of the
//! queue, and the delivery limit would bury it.
//!
//! The age of a message begins when the first process cannot read it. That process
//! adds its clock's time to the headers, and every later requeue keeps the header,
//! so restarts of workers and of the broker do not make the message young again.
//! The publisher's time would be the age of the job, not the time unread; RabbitMQ's
//! own `x-death` begins anew with each publishing since 4.0. A time in the future
//! counts as now: the age is wrong by at most the difference of the fleet's clocks.

use std::time::Duration;

use zkwhirl_job::{clock::now_ms, envelope::BodyError};

use crate::DeadClass;

/// How long an unreadable message waits by default for a process that can read it.
pub(crate) const UNREAD_LIMIT: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The message waits on the longest rung.
    HandBack {
        /// When the first process could not read it, in ms since the Unix epoch.
        since_ms: u64,
    },
    /// The message becomes a dead letter of this class, with this reason.
    Bury(DeadClass, String),
}

impl Unread {
    /// Decides about a message that cannot be read because of `why`; `since_ms` is the
    /// time in the message's header, if the message was requeued before.
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
