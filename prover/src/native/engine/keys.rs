//! The proving keys of an engine, which are loaded, fetched or made on demand.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use tokio::time::Instant;
use zkwhirl_circuits::Circuit;
use zkwhirl_keystore::{KeyProgress, KeyWriter, ensure_usable};
use zkwhirl_telemetry::catalogue::keys::KEY_LOAD_SECONDS;

use super::{Engine, EngineError};
use crate::{
    Phase, Progress,
    native::keys::{NativeKey, generate, identity},
};

/// The duration of a setup per row, on two cores of a small cloud machine: 12 s for
/// 2^18 rows (measured), rounded up.
const SETUP_PER_ROW: Duration = Duration::from_micros(50);
/// The limit of the estimated progress: only the end of the setup is 1.
const ALMOST: f32 = 0.99;

impl Engine {
    /// Prepares the engine: refuses circuits that are too large and, unless
    /// [`EngineConfig::lazy_init`](super::EngineConfig::lazy_init) is set,
    /// loads or makes every key for which `wanted` returns true. `report` receives
    /// each circuit and the progress of its key.
    pub fn start(
        &mut self,
        wanted: &dyn Fn(&Circuit) -> bool,
        report: &(dyn Fn(&Circuit, Progress) + Sync),
    ) -> Result<(), EngineError> {
        let circuits = self.setting().circuits()?;
        if self.config.lazy_init {
            return Ok(());
        }
        for circuit in circuits.into_iter().filter(|circuit| wanted(circuit)) {
            self.key(&circuit, &|progress| report(&circuit, progress))?;
        }
        Ok(())
    }

    /// The loaded keys with their circuits, in any order.
    pub fn loaded(&self) -> impl Iterator<Item = (&Circuit, &NativeKey)> {
        self.keys.iter().map(|(circuit, key)| (circuit, &**key))
    }

    /// The key of a circuit: the loaded key, otherwise the stored key, otherwise a
    /// new key.
    pub fn key(
        &mut self,
        circuit: &Circuit,
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Arc<NativeKey>, EngineError> {
        if let Some(key) = self.keys.get(circuit) {
            return Ok(Arc::clone(key));
        }
        self.setting().admit(*circuit)?;
        report(Progress::START);
        let started = Instant::now();
        let fetched = AtomicBool::new(false);
        let matrices = circuit.matrices();
        let identity = identity(circuit, &matrices);
        let provenance = &self.config.provenance;
        let mut make = |writer: &mut KeyWriter| {
            let advance = writer.advance();
            let report = |progress: Progress| {
                advance.to(progress.fraction);
                report(progress);
            };
            while_running(matrices.num_rows, &report, || {
                generate(writer, &matrices, provenance)
            })
        };
        let made = self
            .store
            .find_or_generate(&identity, provenance, &mut make, &|progress| {
                let now = matches!(progress, KeyProgress::Fetching { .. });
                fetched.fetch_or(now, Ordering::Relaxed);
                report(elsewhere(progress));
            })?;
        drop(matrices);
        ensure_usable(&made.key, self.config.allow_dev_keys)?;
        let key = Arc::new(NativeKey::load(&made.key)?);
        if !self.config.persist {
            // The mapping outlives the file. If the removal fails, the file is
            // complete and does no harm.
            let _ = fs::remove_file(made.key.path());
        }
        self.keys.insert(*circuit, Arc::clone(&key));
        let source = match (made.fresh, fetched.into_inner()) {
            (true, _) => "made",
            (false, true) => "fleet",
            (false, false) => "disk",
        };
        KEY_LOAD_SECONDS.record([source], started.elapsed());
        Ok(key)
    }
}

/// The progress of a key that another process is making, or that is being fetched.
fn elsewhere(progress: &KeyProgress) -> Progress {
    let fraction = match progress {
        KeyProgress::Waiting(generator) => generator.fraction,
        KeyProgress::Fetching { bytes, of } => *bytes as f32 / (*of).max(1) as f32,
    };
    Phase::Key.at(fraction)
}

/// Runs a key's setup and reports the estimated progress four times a second. The
/// estimate is computed from the number of rows and stays below 1.
fn while_running<T>(
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
                report(Phase::Key.at((elapsed / expected).min(ALMOST)));
            }
        });
        let result = setup();
        drop(done);
        result
    })
}
