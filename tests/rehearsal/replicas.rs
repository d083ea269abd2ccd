//! Worker processes in place of pods: started, ready, stopping, exited.

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{Arc, OnceLock},
};

use rustix::process::Signal;
use tokio::time::Instant;
use zkwhirl_job::clock::now_ms;
use zkwhirl_planner::simulation::{Candidate, victims};

use crate::stage::{Fleet, Process};

/// Ten seconds of the autoscaler are one second of the test.
pub(crate) const COMPRESSION: u64 = 10;

struct WorkerPod {
    process: Process,
    /// When the worker became ready, in the autoscaler's milliseconds.
    ready: Arc<OnceLock<u64>>,
}

/// The running workers, and those that got SIGTERM.
pub(crate) struct Replicas<'a> {
    fleet: &'a Fleet,
    begun: Instant,
    made: u64,
    pods: BTreeMap<u64, WorkerPod>,
    ending: Vec<(u64, Process)>,
    /// Workers that got SIGTERM, and when, by the ledger's clock.
    pub(crate) ended: Vec<(String, u64)>,
    /// Largest number of processes at a time, stopping ones included.
    pub(crate) most: usize,
}

/// The name of a worker, and of its only slot in the ledger.
pub(crate) fn name(number: u64) -> String {
    format!("worker-inner-{number}")
}

impl<'a> Replicas<'a> {
    pub(crate) fn new(fleet: &'a Fleet) -> Self {
        Self {
            fleet,
            begun: Instant::now(),
            made: 0,
            pods: BTreeMap::new(),
            ending: Vec::new(),
            ended: Vec::new(),
            most: 0,
        }
    }

    pub(crate) fn scaled_ms(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64 * COMPRESSION
    }

    pub(crate) fn replicas(&self) -> u32 {
        self.pods.len() as u32
    }

    /// Starts and stops workers as a ReplicaSet does. `work_ms(n)`: duration of proofs of worker n.
    pub(crate) fn scale(&mut self, replicas: u32, work_ms: impl Fn(u64) -> u64) {
        while self.replicas() < replicas {
            self.made += 1;
            let pod = self.start(self.made, work_ms(self.made));
            self.pods.insert(self.made, pod);
        }
        let surplus = (self.replicas() - replicas) as usize;
        let pods = self.pods.iter().map(|(number, pod)| Candidate {
            number: *number,
            ready: pod.ready.get().copied(),
            cost: 0,
        });
        for number in victims(pods, surplus) {
            let pod = self.pods.remove(&number).unwrap();
            pod.process.signal(Signal::TERM);
            self.ended.push((name(number), now_ms()));
            self.ending.push((number, pod.process));
        }
        self.most = self.most.max(self.pods.len() + self.ending.len());
    }

    fn start(&self, number: u64, work_ms: u64) -> WorkerPod {
        let ready = Arc::<OnceLock<u64>>::default();
        let (told, begun) = (ready.clone(), self.begun);
        let mut command = self.fleet.worker_command("inner", &name(number), work_ms);
        command.stderr(Stdio::null()); // thirty-one say that they drain
        // The worker's first line means that it is ready.
        let process = Process::start_and_hear(&mut command, move || {
            told.get_or_init(|| begun.elapsed().as_millis() as u64 * COMPRESSION);
        });
        WorkerPod { process, ready }
    }

    /// Removes workers that have exited; each must have exited with code 0.
    pub(crate) fn reap(&mut self) {
        self.ending.retain_mut(|(number, process)| {
            let ended = process.ended();
            let well = matches!(ended, None | Some(Some(0)));
            assert!(well, "{}: {ended:?}", name(*number));
            ended.is_none()
        });
        for (number, pod) in &mut self.pods {
            let ended = pod.process.ended();
            assert_eq!(ended, None, "{} ended by itself", name(*number));
        }
    }

    pub(crate) fn is_still(&self) -> bool {
        self.ending.is_empty()
    }
}
