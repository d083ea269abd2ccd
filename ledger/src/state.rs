//! The states of a job, and the allowed transitions.

use zkwhirl_job::named;

named! {
    /// The state of a job, in the order of its life.
    pub enum JobState {
        /// The job was taken from Falafel and is not yet in the broker.
        Taken = "taken",
        /// The job is in the broker's queue.
        Queued = "queued",
        /// A worker has claimed the job.
        Claimed = "claimed",
        /// A prover works on the job.
        Proving = "proving",
        /// The job waits for its next attempt.
        Retrying = "retrying",
        /// The job's result is stored, and tickets wait for it.
        Proved = "proved",
        /// Every ticket of the job has its answer.
        Delivered = "delivered",
        /// The job is a dead letter; its tickets stay open.
        Dead = "dead",
        /// An operator rejected the job.
        Rejected = "rejected",
        /// No ticket waits for the job any more.
        Withdrawn = "withdrawn",
    }
}

use JobState::{
    Claimed, Dead, Delivered, Proved, Proving, Queued, Rejected, Retrying, Taken, Withdrawn,
};

impl JobState {
    /// The states of a job that the broker or a worker must hold.
    pub const OUTSTANDING: [Self; 4] = [Queued, Claimed, Proving, Retrying];
    /// The states in which a job is finished.
    pub(crate) const FINISHED: [Self; 3] = [Delivered, Rejected, Withdrawn];

    /// Whether a job may go from this state to `next`.
    ///
    /// Every step happens at least once, so many transitions are legal: a worker may
    /// claim a job before the bridge records that the job is queued, a proof may come
    /// from an attempt that seemed lost, a ticket may request a finished job again, and
    /// the bridge publishes again the jobs that the broker lost. A proved job goes back
    /// only through `Retrying` (its proof was wrong) or `Taken` (its proof is lost).
    pub(crate) fn may_become(self, next: Self) -> bool {
        match self {
            Taken => matches!(
                next,
                Queued | Claimed | Retrying | Proved | Dead | Rejected | Withdrawn
            ),
            Queued | Claimed | Proving | Retrying => next != Delivered,
            Proved => matches!(next, Delivered | Retrying | Taken | Dead | Rejected),
            Delivered => matches!(next, Proved | Taken),
            Dead => matches!(next, Taken | Proved | Rejected | Withdrawn),
            Rejected | Withdrawn => matches!(next, Taken | Proved),
        }
    }

    /// Whether the job is finished: workers need not prove it.
    pub fn is_finished(self) -> bool {
        Self::FINISHED.contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table of transitions.
    #[test]
    fn the_moves_of_a_life() {
        let all = |from: JobState| {
            let next = JobState::ALL.into_iter().filter(|to| from.may_become(*to));
            next.map(JobState::name).collect::<Vec<_>>().join(" ")
        };
        let working = "taken queued claimed proving retrying proved dead rejected withdrawn";
        let taken = "queued claimed retrying proved dead rejected withdrawn";
        for (from, next) in [
            (Taken, taken),
            (Queued, working),
            (Claimed, working),
            (Proving, working),
            (Retrying, working),
            (Proved, "taken retrying delivered dead rejected"),
            (Delivered, "taken proved"),
            (Dead, "taken proved rejected withdrawn"),
            (Rejected, "taken proved"),
            (Withdrawn, "taken proved"),
        ] {
            assert_eq!(all(from), next, "from {from}");
        }
    }
}
