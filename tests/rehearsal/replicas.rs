//! Workers as pods: started, ready, told to end, gone.

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::Instant,
};
use zkwhirl_planner::simulation::{Candidate, victims};

use crate::{figures::now_ms, services::Services};

/// Ten seconds of the autoscaler's in one.
pub(crate) const COMPRESSION: u64 = 10;

struct Pod {
    process: Child,
    ready: Arc<Mutex<Option<u64>>>,
}

/// The workers that are not told to end, and those that are.
pub(crate) struct Replicas<'a> {
    services: &'a Services,
    data: tempfile::TempDir,
    begun: Instant,
    made: u64,
    pods: BTreeMap<u64, Pod>,
    ending: Vec<(u64, Child)>,
    /// Workers that were told to end, and when, by the clock of the ledger.
    pub(crate) ended: Vec<(String, u64)>,
    /// Most processes at a time, ending ones included.
    pub(crate) most: usize,
}

/// The name of a worker, and of its only slot in the ledger.
pub(crate) fn name(number: u64) -> String {
    format!("worker-inner-{number}")
}

impl<'a> Replicas<'a> {
    pub(crate) fn new(services: &'a Services) -> Self {
        Self {
            services,
            data: tempfile::tempdir().unwrap(),
            begun: Instant::now(),
            made: 0,
            pods: BTreeMap::new(),
            ending: Vec::new(),
            ended: Vec::new(),
            most: 0,
        }
    }

    /// Milliseconds of the autoscaler's time.
    pub(crate) fn scaled_ms(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64 * COMPRESSION
    }

    /// A role's command line with the fleet's variables.
    pub(crate) fn command(&self, role: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zkwhirl"));
        command
            .arg(role)
            .env("ZKWHIRL_AMQP_URL", &self.services.amqp)
            .env("ZKWHIRL_AMQP_MANAGEMENT_URL", &self.services.management)
            .stdout(Stdio::null())
            .kill_on_drop(true);
        if role != "provision" {
            command
                .env("ZKWHIRL_REDIS_URL", &self.services.redis)
                .env("PROVERLESS", "true")
                .env("DATA_DIR", self.data.path())
                .args(["--txs=1", "--inners=32"]);
        }
        command
    }

    pub(crate) fn replicas(&self) -> u32 {
        self.pods.len() as u32
    }

    /// The ReplicaSet's part. `work_ms`: how long a worker of a number proves.
    pub(crate) fn scale(&mut self, replicas: u32, work_ms: impl Fn(u64) -> u64) {
        while self.replicas() < replicas {
            self.made += 1;
            let pod = self.start(self.made, work_ms(self.made));
            self.pods.insert(self.made, pod);
        }
        let surplus = (self.replicas() - replicas) as usize;
        let ready = |pod: &Pod| *pod.ready.lock().unwrap();
        let pods = self.pods.iter().map(|(number, pod)| Candidate {
            number: *number,
            ready: ready(pod),
            cost: 0,
        });
        for number in victims(pods, surplus) {
            let pod = self.pods.remove(&number).unwrap();
            terminate(&pod.process);
            self.ended.push((name(number), now_ms()));
            self.ending.push((number, pod.process));
        }
        self.most = self.most.max(self.pods.len() + self.ending.len());
    }

    fn start(&self, number: u64, work_ms: u64) -> Pod {
        let mut process = self
            .command("worker")
            .arg(format!("--name={}", name(number)))
            .args(["--topic=inner".to_owned(), format!("--work-ms={work_ms}")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null()) // thirty-one say that they drain
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = Arc::new(Mutex::new(None));
        let (told, begun) = (Arc::clone(&ready), self.begun);
        tokio::spawn(async move {
            // Its first line says that it is at work.
            while let Ok(Some(_)) = lines.next_line().await {
                let now_ms = begun.elapsed().as_millis() as u64 * COMPRESSION;
                told.lock().unwrap().get_or_insert(now_ms);
            }
        });
        Pod { process, ready }
    }

    /// Forgets those that have ended; each must have ended well.
    pub(crate) fn reap(&mut self) {
        self.ending
            .retain_mut(|(number, process)| match process.try_wait().unwrap() {
                Some(status) => {
                    assert!(status.success(), "{}: {status}", name(*number));
                    false
                }
                None => true,
            });
        for (number, pod) in &mut self.pods {
            let ended = pod.process.try_wait().unwrap();
            assert_eq!(ended, None, "{} ended by itself", name(*number));
        }
    }

    pub(crate) fn is_still(&self) -> bool {
        self.ending.is_empty()
    }
}

fn terminate(process: &Child) {
    let pid = rustix::process::Pid::from_raw(process.id().unwrap() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}
