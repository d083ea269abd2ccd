//! Pods of the inner workers, and which of them end first.

use std::{cmp::Reverse, collections::BTreeMap};

/// One pod.
#[derive(Debug, Clone)]
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

/// The pods that are there, by number; numbers grow with time.
#[derive(Debug, Default)]
pub(super) struct Pods {
    made: u64,
    pods: BTreeMap<u64, Pod>,
}

impl Pods {
    pub(super) fn make(&mut self, now: u64) -> u64 {
        self.made += 1;
        let pod = Pod {
            since: now,
            ready: None,
            job: None,
            ending: false,
        };
        self.pods.insert(self.made, pod);
        self.made
    }

    pub(super) fn get(&mut self, id: u64) -> Option<&mut Pod> {
        self.pods.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Pod> {
        self.pods.remove(&id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (u64, &Pod)> {
        self.pods.iter().map(|(id, pod)| (*id, pod))
    }

    /// `status.replicas`: pods that are not ending.
    pub(super) fn replicas(&self) -> u32 {
        self.pods.values().filter(|pod| !pod.ending).count() as u32
    }

    /// The pod that gets the next job: the one that has been ready longest.
    pub(super) fn idle(&self) -> Option<u64> {
        let idle = self
            .all()
            .filter(|(_, pod)| pod.ready.is_some() && pod.job.is_none() && !pod.ending);
        idle.min_by_key(|(id, pod)| (pod.ready, *id))
            .map(|(id, _)| id)
    }

    /// Pods that a ReplicaSet ends first, when `count` of them must go: those
    /// that are not ready, then those that have been ready for the shortest
    /// time, then the newest. Whether they are busy plays no part.
    pub(super) fn victims(&self, count: usize) -> Vec<u64> {
        let mut pods: Vec<_> = self.all().filter(|(_, pod)| !pod.ending).collect();
        pods.sort_by_key(|(id, pod)| {
            let readiness = pod.ready.map_or(u64::MAX, |since| since);
            (Reverse(readiness), Reverse(*id))
        });
        pods.into_iter().take(count).map(|(id, _)| id).collect()
    }

    /// Pods that a loss of machines hits first in the worst case: busy ones,
    /// oldest first.
    pub(super) fn dearest(&self, count: usize) -> Vec<u64> {
        let mut pods: Vec<_> = self.all().collect();
        pods.sort_by_key(|(id, pod)| (pod.job.is_none(), *id));
        pods.into_iter().take(count).map(|(id, _)| id).collect()
    }
}
