//! How much memory a prover has.

use std::{
    fmt, fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// Reads the resident memory of a prover's process, also while it proves.
#[derive(Clone)]
pub struct Meter {
    read: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Meter {
    /// A meter that asks `read` for bytes.
    pub fn new(read: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            read: Arc::new(read),
        }
    }

    /// Bytes that are resident now; 0 without a process.
    pub fn resident_bytes(&self) -> u64 {
        (self.read)()
    }

    /// The memory of whatever process `pid` names at the moment; 0 names none.
    pub(crate) fn of_process(pid: Arc<AtomicU32>) -> Self {
        Self::new(move || match pid.load(Ordering::Relaxed) {
            0 => 0,
            pid => status_bytes(pid, "VmRSS:").unwrap_or(0),
        })
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
    }
}
