//! The pods of the inner workers, and the order in which they are ended.

use std::{cmp::Reverse, collections::BTreeMap};

#[derive(Debug, Clone, Default)]
pub(super) struct Pod {
    /// When the pod was created.
    pub(super) since: u64,
    /// Since when the pod can claim jobs; `None` while it starts.
    pub(super) ready: Option<u64>,
    /// The pod's job, and when the pod began it.
    pub(super) job: Option<(usize, u64)>,
    /// Whether the pod ends after its current job.
    pub(super) ending: bool,
}

/// The existing pods.
#[derive(Debug, Default)]
pub(super) struct Pods {
    made: u64,
    /// The pods by number; a newer pod has a larger number.
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

    /// Returns `status.replicas`: the number of pods that are not terminating.
    pub(super) fn replicas(&self) -> u32 {
        self.all.values().filter(|pod| !pod.ending).count() as u32
    }

    /// Returns the pod that gets the next job: the idle pod that has been ready longest.
    pub(super) fn idle(&self) -> Option<u64> {
        let is_idle = |pod: &Pod| pod.ready.is_some() && pod.job.is_none() && !pod.ending;
        let idle = self.all.iter().filter(|(_, pod)| is_idle(pod));
        let first = idle.min_by_key(|(id, pod)| (pod.ready, **id));
        first.map(|(id, _)| *id)
    }

    /// Returns the pods that a ReplicaSet ends first when it must end `count` pods.
    /// `costs`: whether a pod's deletion cost is the number of jobs it proves.
    pub(super) fn victims(&self, count: usize, costs: bool) -> Vec<u64> {
        let staying = self.all.iter().filter(|(_, pod)| !pod.ending);
        let candidates = staying.map(|(number, pod)| Candidate {
            number: *number,
            ready: pod.ready,
            cost: i32::from(costs && pod.job.is_some()),
        });
        victims(candidates, count)
    }

    /// Returns the pods that a loss of machines hits first in the worst case:
    /// busy pods first, the oldest first.
    pub(super) fn dearest(&self, count: usize) -> Vec<u64> {
        let mut pods: Vec<_> = self.all.iter().collect();
        pods.sort_by_key(|(id, pod)| (pod.job.is_none(), **id));
        pods.into_iter().take(count).map(|(id, _)| *id).collect()
    }
}

/// A pod as a ReplicaSet sees it. A ReplicaSet does not know whether a pod is busy.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// The pod's number; a newer pod has a larger number.
    pub number: u64,
    /// Since when the pod is ready, in milliseconds; `None` if it is not ready.
    pub ready: Option<u64>,
    /// The annotation `controller.kubernetes.io/pod-deletion-cost`, or 0 if absent.
    pub cost: i32,
}

/// Returns the numbers of the pods that a ReplicaSet ends first when it must
/// end `count` pods: pods that are not ready, then those of the lowest cost,
/// then those that have been ready for the shortest time, then the newest.
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
