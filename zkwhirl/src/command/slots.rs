//! The number of a worker's slots, according to the available memory.

use std::{sync::Arc, thread::available_parallelism};

use zkwhirl::cluster::{Peak, Provers};
use zkwhirl_worker::{Admission, FreeMemory, Readiness};

use crate::{
    cli::{Slots, WorkerArgs},
    shell::{admin::NotReady, exit, memory::SystemMemory},
    ui,
};

/// Memory of the worker process without its provers, in bytes.
const WORKER_BYTES: u64 = 128 << 20;

impl FreeMemory for SystemMemory {
    fn free_bytes(&self) -> Option<u64> {
        SystemMemory::free_bytes(self)
    }
}

/// Returns the number of slots, and the check of free memory before a claim;
/// `None`: no check. Fails if the requested slots do not fit into memory.
pub(super) fn admit(
    args: &WorkerArgs,
    provers: &Provers,
) -> anyhow::Result<(usize, Option<Arc<Admission>>)> {
    let cores = available_parallelism().map_or(1, usize::from);
    let native = match provers {
        Provers::Native(native) if !args.overcommit => native,
        _ => return Ok((args.slots.exactly().unwrap_or(cores), None)),
    };
    let peak = native.peak(&args.topic);
    let memory = Arc::new(SystemMemory::default());
    let slots = fitting(args.slots, cores, &peak, memory.free_bytes()).map_err(exit::usage)?;
    let admission = Admission::new(memory, peak.bytes);
    Ok((slots, Some(Arc::new(admission))))
}

/// The requested number of slots, or as many as fit. Fails if the requested
/// number does not fit.
fn fitting(asked: Slots, cores: usize, peak: &Peak, free: Option<u64>) -> anyhow::Result<usize> {
    let Some(free) = free else {
        return Ok(asked.exactly().unwrap_or(1));
    };
    let fit = free.saturating_sub(WORKER_BYTES) / peak.bytes;
    let fit = usize::try_from(fit).unwrap_or(usize::MAX);
    let slots = asked.exactly().unwrap_or_else(|| fit.clamp(1, cores));
    if slots <= fit {
        return Ok(slots);
    }
    let circuit = peak.circuit.as_deref().unwrap_or("no circuit");
    let (one, rows) = (ui::bytes(peak.bytes), ui::grouped(peak.rows));
    let free = ui::bytes(free);
    anyhow::bail!(
        "not enough memory for --slots {slots}: each prover is expected to need {one} \
         ({circuit}, {rows} rows), {free} are free, enough for {fit}; set fewer slots, or take \
         the risk with --overcommit"
    )
}

/// Ready if at least one slot consumes from the queue or is proving.
pub(super) fn ready(readiness: &Readiness) -> impl Fn() -> Result<(), NotReady> + use<> {
    let readiness = readiness.clone();
    move || match readiness.slots() {
        0 => Err(NotReady::Away("no slot consumes or proves jobs")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(asked: Slots, free: Option<u64>, expected: Result<usize, &str>) {
        let peak = Peak {
            circuit: Some("tx-rollup/pedersen/1".into()),
            rows: 1_621_756,
            bytes: 2_000_000_000,
        };
        let slots = fitting(asked, 4, &peak, free);
        let slots = slots.map_err(|error| error.to_string());
        assert_eq!(slots, expected.map_err(str::to_owned));
    }

    /// The error if memory for `slots` slots is missing and `free` is available.
    fn missing(slots: &str, free: &str, fit: u8) -> String {
        format!(
            "not enough memory for --slots {slots}: each prover is expected to need 2000.0 MB \
             (tx-rollup/pedersen/1, 1,621,756 rows), {free} are free, enough for {fit}; set \
             fewer slots, or take the risk with --overcommit"
        )
    }

    #[test]
    fn as_many_slots_as_fit_and_not_more() {
        let gb = |n: u64| Some(n * 1_000_000_000);
        check(Slots::Auto, gb(100), Ok(4));
        check(Slots::Auto, gb(7), Ok(3));
        check(Slots::Auto, None, Ok(1));
        check(Slots::Exactly(3), gb(7), Ok(3));
        check(Slots::Exactly(9), None, Ok(9));
        let (eight, one) = (missing("8", "7000.0 MB", 3), missing("1", "2000.0 MB", 0));
        check(Slots::Exactly(8), gb(7), Err(&eight));
        check(Slots::Auto, gb(2), Err(&one));
    }
}
