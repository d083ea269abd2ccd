//! Keeps freed memory in the process for the next burst of jobs.
//!
//! A request of 28 txs passes through some megabytes of buffers. glibc returns
//! buffers of that size to the kernel when they are freed, so each job requests
//! them again, page by page, and in a virtual machine the kernel requests pages
//! from its host. At a rollup's beginning all jobs come at once: without this
//! module, zeroing pages took 40 % of the CPU time.
#![cfg_attr(
    target_env = "gnu",
    expect(unsafe_code, reason = "mallopt is a C function")
)]

/// Size of one block in bytes: below the threshold above which glibc returns
/// memory.
const BLOCK: usize = 1 << 20;

/// Makes the allocator keep freed memory in this process for the next job, and
/// makes the first `bytes` bytes resident. For roles whose large buffers all
/// belong to jobs.
///
/// Call this function once, before threads are started. It does nothing with C
/// libraries other than glibc.
///
/// `largest`: the size in bytes of the largest buffer of a job.
pub(crate) fn keep(bytes: usize, largest: usize) {
    #[cfg(target_env = "gnu")]
    {
        // mallopt(3): one arena, so that every thread can reuse memory that another
        // has freed; blocks above a job's largest buffer (a key's setup) go back.
        let options = [
            (libc::M_ARENA_MAX, 1),
            (libc::M_MMAP_THRESHOLD, 2 * largest),
            (libc::M_TRIM_THRESHOLD, 2 * bytes),
        ];
        for (option, value) in options {
            let value = value.try_into().unwrap_or(libc::c_int::MAX);
            // SAFETY: mallopt takes two numbers and touches no memory of this program;
            // it refuses an unknown option with 0 and changes nothing.
            unsafe { libc::mallopt(option, value) };
        }
        // Ones, not zeros: only a page that is written becomes resident.
        let blocks: Vec<_> = (0..bytes / BLOCK).map(|_| vec![1u8; BLOCK]).collect();
        drop(std::hint::black_box(blocks));
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = (bytes, largest);
}
