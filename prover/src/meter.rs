//! How much memory a prover has.

use std::{
    fmt, fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// Reads the resident memory and the processor time of a prover's process,
/// also while it proves.
#[derive(Clone)]
pub struct Meter {
    read: Arc<dyn Fn() -> u64 + Send + Sync>,
    pid: Arc<AtomicU32>,
}

impl Meter {
    /// A meter that asks `read` for bytes.
    pub fn new(read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            read: Arc::new(read),
            pid: Arc::default(),
        }
    }

    /// Bytes that are resident now; 0 without a process.
    pub fn resident_bytes(&self) -> u64 {
        (self.read)()
    }

    /// Processor time of the process that runs now, all its threads together;
    /// zero without a process.
    pub fn cpu_time(&self) -> Duration {
        match self.pid.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            pid => cpu_time(pid).unwrap_or_default(),
        }
    }

    /// The meter of whatever process `pid` names at the moment; 0 names none.
    pub(crate) fn of_process(pid: Arc<AtomicU32>) -> Self {
        let named = pid.clone();
        let read = move || match named.load(Ordering::Relaxed) {
            0 => 0,
            pid => status_bytes(pid, "VmRSS:").unwrap_or(0),
        };
        Self {
            read: Arc::new(read),
            pid,
        }
    }
}

impl Default for Meter {
    /// For provers without a process of their own.
    fn default() -> Self {
        Self::new(|| 0)
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meter({} bytes)", self.resident_bytes())
    }
}

/// User and system time of a process (proc(5), stat, fields 14 and 15), which
/// Linux gives in hundredths of a second; `None`: the process has ended.
fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last parenthesis may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

/// A line of a process's status (proc(5)) in bytes; `None`: the process has
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
    fn a_process_has_memory_and_none_has_not() {
        let pid = Arc::new(AtomicU32::new(0));
        let meter = Meter::of_process(pid.clone());
        assert_eq!(meter.resident_bytes(), 0);
        pid.store(std::process::id(), Ordering::Relaxed);
        assert!(meter.resident_bytes() > 100_000);
        let before = meter.cpu_time();
        while meter.cpu_time() <= before {
            std::hint::black_box(meter.resident_bytes());
        }
    }
}
