//! Announced counts and lengths allocate nothing: memory depends on the bytes that a
//! body really has. Alone in its binary, because the test watches the allocator.

use peak_alloc::PeakAlloc;
use zkwhirl_job::{
    Request,
    envelope::{JobEnvelope, VERSION},
    malformed::malformed_cases,
};
use zkwhirl_testkit::vector;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// How many bytes a parser may allocate for `bytes` bytes of input.
fn bound(bytes: usize) -> usize {
    4 * bytes + (1 << 16)
}

fn peak_during<T>(work: impl FnOnce() -> T) -> usize {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    drop(work());
    ALLOCATOR.peak_usage().saturating_sub(before)
}

#[test]
fn memory_follows_the_bytes_and_not_the_announced_counts() {
    for case in malformed_cases(&vector) {
        let peak = peak_during(|| Request::parse(&case.request));
        assert!(peak <= bound(case.request.len()), "{}: {peak}", case.name);
    }

    // A map of one field, `history`, that announces 2^32 - 1 records; a bin of
    // 4 GiB in place of the payload; a string of 4 GiB in place of a key.
    let history = [&[VERSION, 0x81, 0xa7], &b"history"[..], &[0xdd], &[0xff; 4]].concat();
    let payload = [
        &[VERSION, 0x81, 0xa7],
        &b"payload"[..],
        &[0x81, 0xa6],
        &b"Inline"[..],
        &[0xc6],
        &[0xff; 4],
    ]
    .concat();
    let key = [&[VERSION, 0x81, 0xdb][..], &[0xff; 4]].concat();
    for (name, body) in [("history", history), ("payload", payload), ("key", key)] {
        let peak = peak_during(|| JobEnvelope::parse(&body).unwrap_err());
        // serde reserves at most 1 MiB for a list whose length is announced.
        assert!(peak <= (1 << 20) + bound(body.len()), "{name}: {peak}");
    }
}
