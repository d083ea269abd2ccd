use zkwhirl_job::named;

named! {
    /// The name of an event in a job's life: in logs, in Redis's stream and in the
    /// console's JSON.
    pub enum EventName {
        /// The first ticket of the job was taken.
        Taken = "taken",
        /// A further ticket waits for the same job.
        Joined = "joined",
        /// The broker has the job.
        Queued = "queued",
        /// A worker has the job.
        Claimed = "claimed",
        /// A prover works on the job.
        Proving = "proving",
        /// A prover reported its progress.
        Progress = "progress",
        /// An attempt failed; another follows.
        Retrying = "retrying",
        /// A worker requeued the job.
        HandedBack = "handed-back",
        /// The job is a dead letter.
        Dead = "dead",
        /// The job has a proof.
        Proved = "proved",
        /// The bridge refused the proof.
        Unverified = "unverified",
        /// Falafel accepted the answer.
        Delivered = "delivered",
        /// An operator rejected the job.
        Rejected = "rejected",
        /// An operator sent a dead job back to the queue.
        Replayed = "replayed",
        /// No ticket waits for the job any more.
        Withdrawn = "withdrawn",
        /// The broker had lost the job; it was published again.
        Republished = "republished",
        /// A name of another release.
        #[serde(other)]
        Unknown = "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JobState;

    #[test]
    fn every_state_is_the_name_of_an_event_and_json_has_the_same_names() {
        for state in JobState::ALL {
            let event: EventName = state.name().parse().unwrap();
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(json, format!("\"{state}\""));
        }
    }

    #[test]
    fn a_name_of_another_release_is_no_error() {
        assert!("teleported".parse::<EventName>().is_err());
        let read: EventName = serde_json::from_str("\"teleported\"").unwrap();
        assert_eq!(read, EventName::Unknown);
    }
}
