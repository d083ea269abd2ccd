//! Requests that this process took itself, so that it need not read them back
//! to publish and to verify them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use zkwhirl_job::JobId;

/// A bounded store; the oldest go first.
#[derive(Debug)]
pub(super) struct Recent {
    limit: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    order: VecDeque<JobId>,
    requests: HashMap<JobId, Bytes>,
}

impl Recent {
    /// A store of at most `limit` bytes; 0 keeps nothing.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            held: Mutex::default(),
        }
    }

    pub(super) fn put(&self, job: JobId, request: &Bytes) {
        if request.len() > self.limit {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.requests.insert(job, request.clone()).is_none() {
            held.order.push_back(job);
            held.bytes += request.len();
        }
        while held.bytes > self.limit {
            let Some(oldest) = held.order.pop_front() else {
                return;
            };
            if let Some(gone) = held.requests.remove(&oldest) {
                held.bytes -= gone.len();
            }
        }
    }

    pub(super) fn get(&self, job: JobId) -> Option<Bytes> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.requests.get(&job).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_when_the_limit_is_reached() {
        let recent = Recent::new(10);
        let job = |n| JobId([n; 32]);
        for n in 1..=3 {
            recent.put(job(n), &Bytes::from_static(b"four"));
        }
        assert_eq!(recent.get(job(1)), None);
        assert!(recent.get(job(2)).is_some() && recent.get(job(3)).is_some());
        recent.put(job(4), &Bytes::from_static(b"more than ten bytes"));
        assert_eq!(recent.get(job(4)), None);
        Recent::new(0).put(job(5), &Bytes::from_static(b"x"));
    }
}
