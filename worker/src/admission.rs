//! Memory before work: a slot consumes from its queue only while the memory that
//! its prover may need at its peak is free.
//!
//! The prover of each admitted slot may still grow from its present memory to the
//! peak. Slots that prove and slots that were admitted earlier come first: the free
//! memory must be enough for them and for the slot that requests admission.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;
use zkwhirl_prover::Meter;

/// How often the free memory is read.
const EVERY: Duration = Duration::from_secs(1);

/// Reads how much memory is free for provers.
pub trait FreeMemory: Send + Sync + Debug {
    /// Bytes of the machine or the container that are free for this process and
    /// its children. `None`: unknown, and every slot is admitted.
    fn free_bytes(&self) -> Option<u64>;
}

/// Decides which slots of a worker have the memory to prove.
#[derive(Debug)]
pub struct Admission {
    memory: Arc<dyn FreeMemory>,
    /// The memory that a prover is expected to need at its peak, in bytes.
    peak: AtomicU64,
    admitted: Mutex<BTreeMap<u64, AdmittedSlot>>,
}

#[derive(Debug)]
struct AdmittedSlot {
    meter: Meter,
    proves: bool,
}

/// A slot's admission, which ends when this permit is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Arc<Admission>,
    number: u64,
}

impl Admission {
    /// Admits slots by the free memory. `peak_bytes`: the memory that one prover is
    /// expected to need; a prover that is seen with more raises this number.
    pub fn new(memory: Arc<dyn FreeMemory>, peak_bytes: u64) -> Self {
        Self {
            memory,
            peak: AtomicU64::new(peak_bytes),
            admitted: Mutex::default(),
        }
    }

    /// Waits until there is memory for a slot.
    pub(crate) async fn enter(self: &Arc<Self>, slot: &str, meter: &Meter) -> Permit {
        let mut looks = 0u64;
        loop {
            let lacking = match self.try_enter(meter) {
                Err(lacking) => lacking,
                Ok(number) => {
                    let admission = self.clone();
                    return Permit { admission, number };
                }
            };
            looks += 1;
            if looks.is_power_of_two() {
                tracing::warn!(
                    slot,
                    lacking,
                    "no job claimed: {lacking} more bytes must be free"
                );
            }
            sleep(EVERY).await;
        }
    }

    /// Raises the expected peak to `bytes`, the resident memory of a prover.
    pub(crate) fn saw_peak(&self, bytes: u64) {
        self.peak.fetch_max(bytes, Ordering::Relaxed);
    }

    fn try_enter(&self, meter: &Meter) -> Result<u64, u64> {
        let mut admitted = self.admitted();
        let number = admitted.last_key_value().map_or(0, |(last, _)| last + 1);
        let asks = AdmittedSlot {
            meter: meter.clone(),
            proves: false,
        };
        match self.lacking(&admitted, number, &asks) {
            0 => {
                admitted.insert(number, asks);
                Ok(number)
            }
            lacking => Err(lacking),
        }
    }

    /// How many bytes of free memory are missing to admit a slot.
    fn lacking(
        &self,
        admitted: &BTreeMap<u64, AdmittedSlot>,
        number: u64,
        asks: &AdmittedSlot,
    ) -> u64 {
        let Some(free) = self.memory.free_bytes() else {
            return 0;
        };
        let peak = self.peak.load(Ordering::Relaxed);
        let may_grow = |slot: &AdmittedSlot| peak.saturating_sub(slot.meter.resident_bytes());
        let before = admitted
            .iter()
            .filter(|(other, slot)| **other != number && (slot.proves || **other < number));
        let before: u64 = before.map(|(_, slot)| may_grow(slot)).sum();
        (before + may_grow(asks)).saturating_sub(free)
    }

    fn admitted(&self) -> MutexGuard<'_, BTreeMap<u64, AdmittedSlot>> {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Waits until the free memory is too small for the slot.
    pub(crate) async fn revoked(&self) {
        while self.is_valid() {
            sleep(EVERY).await;
        }
    }

    /// Records whether the slot proves: a slot that proves keeps its admission.
    pub(crate) fn set_proving(&self, proves: bool) {
        if let Some(slot) = self.admission.admitted().get_mut(&self.number) {
            slot.proves = proves;
        }
    }

    fn is_valid(&self) -> bool {
        let admitted = self.admission.admitted();
        let slot = admitted.get(&self.number);
        slot.is_some_and(|slot| self.admission.lacking(&admitted, self.number, slot) == 0)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.admission.admitted().remove(&self.number);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[derive(Debug)]
    pub(crate) struct Free(pub(crate) AtomicU64);

    impl FreeMemory for Free {
        fn free_bytes(&self) -> Option<u64> {
            Some(self.0.load(Ordering::Relaxed))
        }
    }

    fn with(free: u64, peak: u64) -> (Arc<Free>, Arc<Admission>) {
        let free = Arc::new(Free(AtomicU64::new(free)));
        let admission = Admission::new(free.clone(), peak);
        (free, Arc::new(admission))
    }

    fn has(bytes: u64) -> Meter {
        Meter::new(move || bytes)
    }

    #[tokio::test(start_paused = true)]
    async fn those_are_admitted_whose_peaks_fit() {
        let (free, admission) = with(250, 100);
        let first = admission.enter("a", &has(0)).await;
        let _second = admission.enter("b", &has(0)).await;
        assert_eq!(admission.try_enter(&has(0)), Err(50));
        // Memory that a prover already has need not be free.
        let third = admission.try_enter(&has(50));
        assert!(third.is_ok());
        admission.admitted().remove(&third.unwrap());
        drop(first);
        let third = admission.enter("c", &has(0)).await;
        // The slot that was admitted last leaves first.
        free.0.store(100, Ordering::Relaxed);
        third.revoked().await;
        assert!(_second.is_valid());
    }

    #[tokio::test(start_paused = true)]
    async fn who_proves_comes_first_and_a_peak_that_was_seen_counts() {
        let (_, admission) = with(250, 100);
        let first = admission.enter("a", &has(0)).await;
        let second = admission.enter("b", &has(0)).await;
        second.set_proving(true);
        admission.saw_peak(200);
        first.revoked().await;
        second.set_proving(false);
        assert!(first.is_valid());
        second.revoked().await;
    }
}
