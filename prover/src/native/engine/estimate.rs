//! Estimated progress of a step that does not report any.

use std::{sync::mpsc, thread, time::Duration};

use tokio::time::Instant;

use crate::{Phase, Progress};

/// A setup on two cores of a small cloud machine: 12 s for 2^18 rows
/// (measured), rounded up.
const SETUP_PER_ROW: Duration = Duration::from_micros(50);
/// The largest estimate: an estimate is never "done".
const ALMOST: f32 = 0.99;

/// Runs a key's setup and reports its estimated progress four times a second. The
/// estimate follows from the circuit's rows and never reaches the end.
pub(crate) fn while_running<T>(
    rows: usize,
    report: &(dyn Fn(Progress) + Sync),
    setup: impl FnOnce() -> T,
) -> T {
    let expected = SETUP_PER_ROW.as_secs_f32() * rows as f32;
    let (done, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let started = Instant::now();
            while let Err(mpsc::RecvTimeoutError::Timeout) =
                ended.recv_timeout(Duration::from_millis(250))
            {
                let elapsed = started.elapsed().as_secs_f32();
                report(Progress {
                    phase: Phase::Key,
                    fraction: (elapsed / expected).min(ALMOST),
                });
            }
        });
        let result = setup();
        drop(done);
        result
    })
}
