use serde::{Deserialize, Serialize};

/// The name of an event in a job's life: in logs, in Redis's stream and in the
/// console's JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventName {
    /// The first ticket of the job was taken.
    Taken,
    /// A further ticket waits for the same job.
    Joined,
    /// The broker has the job.
    Queued,
    /// A worker has the job.
    Claimed,
    /// A prover works on the job.
    Proving,
    /// A prover reported its progress.
    Progress,
    /// An attempt failed; another follows.
    Retrying,
    /// A worker gave the job back.
    HandedBack,
    /// The job is a dead letter.
    Dead,
    /// The job has a proof.
    Proved,
    /// The bridge refused the proof.
    Unverified,
    /// Falafel accepted the answer.
    Delivered,
    /// An operator rejected the job.
    Rejected,
    /// An operator sent a dead job back to the queue.
    Replayed,
    /// No ticket waits for the job any more.
    Withdrawn,
    /// The broker had lost the job; it was published again.
    Republished,
    /// A name of another release.
    #[serde(other)]
    Unknown,
}

use EventName::*;

/// Every name that this release writes.
const NAMES: [(EventName, &str); 16] = [
    (Taken, "taken"),
    (Joined, "joined"),
    (Queued, "queued"),
    (Claimed, "claimed"),
    (Proving, "proving"),
    (Progress, "progress"),
    (Retrying, "retrying"),
    (HandedBack, "handed-back"),
    (Dead, "dead"),
    (Proved, "proved"),
    (Unverified, "unverified"),
    (Delivered, "delivered"),
    (Rejected, "rejected"),
    (Replayed, "replayed"),
    (Withdrawn, "withdrawn"),
    (Republished, "republished"),
];

impl EventName {
    /// The name as text.
    pub fn name(self) -> &'static str {
        let known = NAMES.iter().find(|(event, _)| *event == self);
        known.map_or("unknown", |(_, name)| name)
    }

    /// The event of this name; `None` for a name that is no event of a job or
    /// comes from another release.
    pub fn parse(name: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(_, known)| *known == name);
        known.map(|(event, _)| *event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JobState;

    #[test]
    fn names_are_the_same_in_text_and_json_and_every_state_has_one() {
        for (event, name) in NAMES {
            assert_eq!(EventName::parse(name), Some(event));
            assert_eq!(event.name(), name);
            assert_eq!(
                serde_json::to_string(&event).unwrap(),
                format!("\"{name}\"")
            );
        }
        for state in JobState::ALL {
            assert!(EventName::parse(state.name()).is_some(), "{state}");
        }
    }

    #[test]
    fn a_name_of_another_release_is_no_error() {
        assert_eq!(EventName::parse("teleported"), None);
        let read: EventName = serde_json::from_str("\"teleported\"").unwrap();
        assert_eq!(read, EventName::Unknown);
    }
}
