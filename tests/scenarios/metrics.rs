//! The admin address: the metrics, and its answers while all cores prove.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
    time::Duration,
};

use tokio::time::Instant;
use zkwhirl_testkit::PATIENCE;

use crate::stage::{Process, data_dir, say, zkwhirl};

struct RunningRole {
    _process: Process,
    admin: SocketAddr,
}

impl RunningRole {
    /// Starts a process and reads the address of its metrics from its output.
    fn start(mut command: Command) -> Self {
        command.args(["--admin", "127.0.0.1:0"]);
        let (process, admin) = Process::start_and_find(&mut command, |line| {
            let (_, after) = line.split_once("metrics and probes at http://")?;
            Some(after.strip_suffix("/metrics").unwrap().parse().unwrap())
        });
        Self {
            _process: process,
            admin,
        }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(self.admin).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    fn value(&self, series: &str) -> f64 {
        let page = self.get("/metrics").1;
        let line = page.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap().trim().parse().unwrap()
    }

    fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < PATIENCE, "never {what}");
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }
}

/// The names and kinds of metrics in docs/METRICS.md.
fn documented() -> BTreeMap<String, String> {
    let page = include_str!("../../docs/METRICS.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| {
        let (name, rest) = row.split_once("` | ").unwrap();
        (name.to_owned(), rest.split(' ').next().unwrap().to_owned())
    });
    cells.collect()
}

#[test]
fn a_live_scrape_has_every_documented_metric_and_no_other() {
    let up = "up --proverless --port=0 --job-server-url=http://127.0.0.1:9";
    let up = RunningRole::start(zkwhirl(up.split(' ')));
    up.until("ready", |up| up.get("/readyz").0 == 200);
    assert_eq!(up.get("/livez").0, 200);
    let (status, page) = up.get("/metrics");
    assert_eq!(status, 200);
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let scraped = types.map(|line| {
        let (name, kind) = line.split_once(' ').unwrap();
        (name.to_owned(), kind.to_owned())
    });
    assert_eq!(scraped.collect::<BTreeMap<_, _>>(), documented());
    // Histograms have buckets, and exist with 0 before the first observation.
    let empty = "zkwhirl_rollup_duration_seconds_bucket{le=\"900\"} 0";
    assert!(page.contains(empty), "{page}");
    for series in [
        "zkwhirl_jobs_dead_lettered_total{topic=\"inner\",reason=\"crashes\"} 0",
        "zkwhirl_worker_slots{topic=\"inner\",state=\"idle\"} 1",
        "zkwhirl_lease_margin_seconds 5",
    ] {
        assert!(page.lines().any(|line| line == series), "{series}\n{page}");
    }
    assert!(up.value("zkwhirl_worker_start_to_ready_seconds") >= 0.0);
}

/// Readiness and metrics during a proof that takes every core.
#[test]
fn the_admin_address_answers_while_all_cores_prove() {
    // The demo proves until the test ends.
    let demo = "demo --claims=8 --inners=4 --rollups=1000 --workers=2 --data-dir";
    let mut demo = zkwhirl(demo.split(' '));
    demo.arg(data_dir());
    let demo = RunningRole::start(demo);
    let busy = "zkwhirl_worker_slots{topic=\"inner\",state=\"busy\"}";
    demo.until("proving", |demo| demo.value(busy) > 0.0);
    let mut took = Vec::new();
    for number in 0..200 {
        let path = ["/metrics", "/readyz", "/livez"][number % 3];
        let start = Instant::now();
        let (status, _) = demo.get(path);
        took.push(start.elapsed());
        assert_eq!(status, 200, "{path}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let cpu = "zkwhirl_cpu_seconds_total{part=\"provers\"}";
    demo.until("the provers' time", |demo| demo.value(cpu) > 0.0);
    took.sort();
    let p99 = took[197];
    say(format_args!(
        "admin address while proving: p50 {:?}, p99 {p99:?}, worst {:?}",
        took[99], took[199]
    ));
}
