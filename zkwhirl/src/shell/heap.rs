//! Keeps freed memory in the process for the next burst of jobs.
//!
//! A request of 28 txs passes through some megabytes of buffers. glibc gives
//! buffers of that size back as soon as they are freed, so each job asks the
//! kernel for them again, page by page, and on a virtual machine the kernel asks
//! its host. When a rollup begins all jobs come at once: zeroing pages was 40 %
//! of the processors' time then.
#![cfg_attr(
    target_env = "gnu",
    expect(unsafe_code, reason = "mallopt is a C function")
)]

/// Size of one block in bytes: below the threshold above which glibc returns
/// memory.
const BLOCK: usize = 1 << 20;

/// From now on freed memory stays in this process for its next job, and the
/// first `bytes` are already resident. For roles whose large buffers all belong
/// to jobs.
///
/// Call it once, before threads are started. Other C libraries than glibc are
/// left as they are.
///
/// `largest`: the size in bytes of the largest buffer of a job.
pub(crate) fn keep(bytes: usize, largest: usize) {
    #[cfg(target_env = "gnu")]
    {
        // mallopt(3): one arena, so that all threads find what one has freed;
        // what is larger than any buffer of a job, a key's setup, goes back.
        let options = [
            (libc::M_ARENA_MAX, 1),
            (libc::M_MMAP_THRESHOLD, 2 * largest),
            (libc::M_TRIM_THRESHOLD, 2 * bytes),
        ];
        for (option, value) in options {
            let value = value.try_into().unwrap_or(libc::c_int::MAX);
            // SAFETY: it takes two numbers and touches no memory of ours; one
            // that it does not know it refuses with 0, and all stays as it was.
            unsafe { libc::mallopt(option, value) };
        }
        // Ones, not zeros: only a written page becomes resident.
        let blocks: Vec<_> = (0..bytes / BLOCK).map(|_| vec![1u8; BLOCK]).collect();
        drop(std::hint::black_box(blocks));
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = (bytes, largest);
}
