//! Peak memory of this process.

use std::fs;

use crate::shell::memory::number_after;

/// Peak resident memory in bytes since the start, or since the last
/// [`forget_peak`]; 0 where the system does not tell.
pub(in crate::command) fn peak_rss() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    number_after(&status, "VmHWM:").unwrap_or(0) * 1024
}

/// The peak begins at what is resident now, where the system can do that.
pub(super) fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}
