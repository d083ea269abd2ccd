//! The number of slots of a worker, by the available memory.

use std::{sync::Arc, thread::available_parallelism};

use zkwhirl::cluster::{Peak, Provers};
use zkwhirl_job::Topic;
use zkwhirl_worker::{Admission, FreeMemory, Readiness};

use crate::{
    cli::{Slots, WorkerArgs},
    shell::{admin::NotReady, exit, memory::SystemMemory},
    ui,
};

/// What the worker itself needs beside its provers.
const WORKER_BYTES: u64 = 128 << 20;

impl FreeMemory for SystemMemory {
    fn free_bytes(&self) -> Option<u64> {
        SystemMemory::free_bytes(self)
    }
}

/// The number of slots and the admission that guards their memory.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) slots: usize,
    /// `None`: memory is not checked before a claim.
    pub(super) admission: Option<Arc<Admission>>,
}

/// The slots that the arguments ask for, if they fit.
pub(super) fn admit(args: &WorkerArgs, provers: &Provers) -> anyhow::Result<Admitted> {
    let cores = available_parallelism().map_or(1, usize::from);
    let native = match provers {
        Provers::Native(native) if !args.overcommit => native,
        _ => {
            return Ok(Admitted {
                slots: args.slots.exactly().unwrap_or(cores),
                admission: None,
            });
        }
    };
    let peak = native.peak(&args.topic);
    let memory = Arc::new(SystemMemory::default());
    let slots = fitting(args.slots, cores, &peak, memory.free_bytes()).map_err(exit::usage)?;
    Ok(Admitted {
        slots,
        admission: Some(Arc::new(Admission::new(memory, peak.bytes))),
    })
}

/// The requested number of slots, or as many as fit. An error when the
/// requested number does not fit.
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
        "memory for --slots {slots} is missing: each prover is expected to need {one} \
         ({circuit}, {rows} rows), {free} are free, enough for {fit}; ask for fewer, or take the \
         risk with --overcommit"
    )
}

/// Whether a slot is in the queue or proves.
pub(super) fn ready(readiness: &Readiness) -> Result<(), NotReady> {
    match readiness.slots() {
        0 => Err(NotReady::Away("no slot is in the queue")),
        _ => Ok(()),
    }
}

/// The topics and the slots in words.
pub(super) fn describe(topics: &[Topic], admitted: &Admitted) -> String {
    let topics: Vec<_> = topics.iter().map(ToString::to_string).collect();
    let topics = topics.join(" and ");
    format!("{topics} jobs, {} at once", admitted.slots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peak() -> Peak {
        Peak {
            circuit: Some("tx-rollup/pedersen/1".into()),
            rows: 1_621_756,
            bytes: 2_000_000_000,
        }
    }

    #[track_caller]
    fn check(asked: Slots, free: Option<u64>, expected: Result<usize, &str>) {
        let slots = fitting(asked, 4, &peak(), free);
        let slots = slots.map_err(|error| error.to_string());
        assert_eq!(slots, expected.map_err(str::to_owned));
    }

    #[test]
    fn as_many_slots_as_fit_and_not_more() {
        let gb = |n: u64| Some(n * 1_000_000_000);
        check(Slots::Auto, gb(100), Ok(4));
        check(Slots::Auto, gb(7), Ok(3));
        check(Slots::Auto, None, Ok(1));
        check(Slots::Exactly(3), gb(7), Ok(3));
        check(Slots::Exactly(9), None, Ok(9));
        check(
            Slots::Exactly(8),
            gb(7),
            Err(
                "memory for --slots 8 is missing: each prover is expected to need 2000.0 MB \
                 (tx-rollup/pedersen/1, 1,621,756 rows), 7000.0 MB are free, enough for 3; ask \
                 for fewer, or take the risk with --overcommit",
            ),
        );
        check(
            Slots::Auto,
            gb(2),
            Err(
                "memory for --slots 1 is missing: each prover is expected to need 2000.0 MB \
                 (tx-rollup/pedersen/1, 1,621,756 rows), 2000.0 MB are free, enough for 0; ask \
                 for fewer, or take the risk with --overcommit",
            ),
        );
    }
}
