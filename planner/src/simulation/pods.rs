//! Pods of the inner workers, and which of them end first.

use std::{cmp::Reverse, collections::BTreeMap};

#[derive(Debug, Clone, Default)]
pub(super) struct Pod {
    /// When it was made.
    pub(super) since: u64,
    /// Since when it claims jobs.
    pub(super) ready: Option<u64>,
    /// Its job, and when that began.
    pub(super) job: Option<(usize, u64)>,
    /// It ends with its job.
    pub(super) ending: bool,
}

/// The pods that are there.
#[derive(Debug, Default)]
pub(super) struct Pods {
    made: u64,
    /// By number; numbers grow with time.
    pub(super) all: BTreeMap<u64, Pod>,
}

impl Pods {
    pub(super) fn make(&mut self, now: u64) -> u64 {
        self.made += 1;
        let pod = Pod {
            since: now,
            ..Pod::default()
        };
        self.all.insert(self.made, pod);
        self.made
    }

    /// `status.replicas`: pods that are not ending.
    pub(super) fn replicas(&self) -> u32 {
        self.all.values().filter(|pod| !pod.ending).count() as u32
    }

    /// The pod that gets the next job: the one that has been ready longest.
    pub(super) fn idle(&self) -> Option<u64> {
        let is_idle = |pod: &Pod| pod.ready.is_some() && pod.job.is_none() && !pod.ending;
        let idle = self.all.iter().filter(|(_, pod)| is_idle(pod));
        let first = idle.min_by_key(|(id, pod)| (pod.ready, **id));
        first.map(|(id, _)| *id)
    }

    /// Pods that a ReplicaSet ends first, when `count` of them must go.
    /// `costs`: each says how many jobs it proves as its deletion cost.
    pub(super) fn victims(&self, count: usize, costs: bool) -> Vec<u64> {
        let staying = self.all.iter().filter(|(_, pod)| !pod.ending);
        let candidates = staying.map(|(number, pod)| Candidate {
            number: *number,
            ready: pod.ready,
            cost: i32::from(costs && pod.job.is_some()),
        });
        victims(candidates, count)
    }

    /// Pods that a loss of machines hits first in the worst case: busy ones,
    /// oldest first.
    pub(super) fn dearest(&self, count: usize) -> Vec<u64> {
        let mut pods: Vec<_> = self.all.iter().collect();
        pods.sort_by_key(|(id, pod)| (pod.job.is_none(), **id));
        pods.into_iter().take(count).map(|(id, _)| *id).collect()
    }
}

/// A pod as a ReplicaSet sees it. Whether it is busy is not among that.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Grows with the pods' creation.
    pub number: u64,
    /// Since when it is ready, in milliseconds.
    pub ready: Option<u64>,
    /// Its annotation `controller.kubernetes.io/pod-deletion-cost`; 0 without.
    pub cost: i32,
}

/// The numbers of the pods that a ReplicaSet ends first when `count` of them must
/// go: those that are not ready, then the cheapest, then those that have been
/// ready for the shortest time, then the newest.
pub fn victims(pods: impl Iterator<Item = Candidate>, count: usize) -> Vec<u64> {
    let mut pods: Vec<_> = pods.collect();
    pods.sort_by_key(|pod| {
        let newest = (Reverse(pod.ready), Reverse(pod.number));
        (pod.ready.is_some(), pod.cost, newest)
    });
    let first = pods.into_iter().take(count);
    first.map(|pod| pod.number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pods: [(u64, Option<u64>, i32); 5], order: [u64; 5]) {
        let pods = pods.map(|(number, ready, cost)| Candidate {
            number,
            ready,
            cost,
        });
        for count in 0..=5 {
            assert_eq!(victims(pods.into_iter(), count), order[..count]);
        }
    }

    #[test]
    fn pods_that_are_not_ready_go_first_then_the_newest() {
        let pods = [
            (1, Some(0), 0),
            (2, Some(90), 0),
            (3, Some(50), 0),
            (4, None, 0),
            (5, Some(90), 0),
        ];
        check(pods, [4, 5, 2, 3, 1]);
    }

    #[test]
    fn ready_pods_go_by_their_deletion_cost_before_their_age() {
        let pods = [
            (1, Some(0), 0),
            (2, Some(90), 2),
            (3, Some(50), -1),
            (4, None, 1),
            (5, Some(90), 1),
        ];
        check(pods, [4, 3, 1, 5, 2]);
    }
}
