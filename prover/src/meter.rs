//! Measurements of a prover's process: memory, processor time and loaded keys.

use std::{
    fmt, fs,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// The limits for the list of loaded keys: keys per process, characters per name.
const KEYS: usize = 64;
const NAME: usize = 128;

/// Reads the memory, the processor time and the loaded keys of a prover's process,
/// at any time.
#[derive(Clone)]
pub struct Meter {
    read: Arc<dyn Fn() -> u64 + Send + Sync>,
    process: Arc<ProverProcess>,
}

/// The current process of a prover.
#[derive(Debug, Default)]
pub(crate) struct ProverProcess {
    /// The process id; 0: no process runs.
    pid: AtomicU32,
    limit: u64,
    keys: Mutex<Vec<String>>,
}

impl ProverProcess {
    /// No process yet. `limit` is the memory limit of each process, in bytes.
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self {
            limit: limit.unwrap_or(0),
            ..Self::default()
        }
    }

    /// Records that process `pid` runs now, and has loaded no key.
    pub(crate) fn begin(&self, pid: u32) {
        let mut keys = self.keys();
        self.pid.store(pid, Ordering::Relaxed);
        keys.clear();
    }

    /// Records that process `pid` has loaded a circuit's key. A call for a process
    /// that was replaced has no effect.
    pub(crate) fn loaded(&self, pid: u32, circuit: &str) {
        let mut keys = self.keys();
        let own = self.pid.load(Ordering::Relaxed) == pid;
        if own && keys.len() < KEYS && !keys.iter().any(|key| key == circuit) {
            keys.push(circuit.chars().take(NAME).collect());
        }
    }

    fn keys(&self) -> MutexGuard<'_, Vec<String>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meter {
    /// A meter that calls `read` for the resident memory, in bytes.
    pub fn new(read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            read: Arc::new(read),
            process: Arc::default(),
        }
    }

    /// The resident memory in bytes; 0 if no process runs.
    pub fn resident_bytes(&self) -> u64 {
        (self.read)()
    }

    /// The processor time of all threads of the current process; zero if no process
    /// runs.
    pub fn cpu_time(&self) -> Duration {
        match self.process.pid.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            pid => cpu_time(pid).unwrap_or_default(),
        }
    }

    /// The limit of the process's private memory, in bytes; 0: no limit.
    pub fn limit_bytes(&self) -> u64 {
        self.process.limit
    }

    /// The circuits whose proving keys the process has reported as loaded, the
    /// oldest report first.
    pub fn keys(&self) -> Vec<String> {
        self.process.keys().clone()
    }

    pub(crate) fn of_process(process: Arc<ProverProcess>) -> Self {
        let named = process.clone();
        let read = move || match named.pid.load(Ordering::Relaxed) {
            0 => 0,
            pid => status_bytes(pid, "VmRSS:").unwrap_or(0),
        };
        Self {
            read: Arc::new(read),
            process,
        }
    }
}

impl Default for Meter {
    /// The meter of a prover without a process of its own.
    fn default() -> Self {
        Self::new(|| 0)
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meter({} bytes)", self.resident_bytes())
    }
}

/// Reads a process's user and system time (proc(5), stat, fields 14 and 15), which
/// Linux gives in hundredths of a second; `None`: the process has ended.
fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last parenthesis may contain spaces and parentheses.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

/// Reads a line of a process's status (proc(5)), in bytes; `None`: the process has
/// ended.
pub(crate) fn status_bytes(pid: u32, line: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|status| status.starts_with(line))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_reads_memory_only_while_a_process_runs() {
        let process = Arc::new(ProverProcess::default());
        let meter = Meter::of_process(process.clone());
        assert_eq!(meter.resident_bytes(), 0);
        process.begin(std::process::id());
        assert!(meter.resident_bytes() > 100_000);
        let before = meter.cpu_time();
        while meter.cpu_time() <= before {
            std::hint::black_box(meter.resident_bytes());
        }
    }

    #[test]
    fn keys_are_those_of_the_process_that_runs_and_bounded() {
        let process = Arc::new(ProverProcess::new(Some(7)));
        let meter = Meter::of_process(process.clone());
        assert_eq!(meter.limit_bytes(), 7);
        process.begin(10);
        for circuit in ["claim/poseidon", "tx-rollup/poseidon/1", "claim/poseidon"] {
            process.loaded(10, circuit);
        }
        assert_eq!(meter.keys(), ["claim/poseidon", "tx-rollup/poseidon/1"]);
        process.begin(11);
        process.loaded(10, "too late");
        assert!(meter.keys().is_empty());
        for number in 0..1_000 {
            process.loaded(11, &format!("{number}{}", "x".repeat(1_000)));
        }
        assert_eq!(meter.keys().len(), KEYS);
        assert!(meter.keys().iter().all(|key| key.len() == NAME));
    }
}
