//! The library's own encoding of the same key, for a benchmark.

use std::{fmt::Display, fs, path::Path};

use ark_bn254::Bn254;
use ark_groth16::ProvingKey;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Duration;
use zkwhirl_keystore::KeyFile;

use super::{EngineError, rivals::proving_key};
use crate::native::keys::NativeKey;

/// The same key loaded from two files in the page cache. The times are CPU times
/// of the loading thread, which a busy machine changes less than the clock.
#[derive(Debug, Clone, Copy)]
pub struct Loading {
    /// Bytes of `arkworks`' file: points alone.
    pub stock_bytes: u64,
    /// Bytes of the native file: points and matrices.
    pub native_bytes: u64,
    /// `arkworks`: read, then `ProvingKey::deserialize_uncompressed_unchecked`,
    /// without any check and without matrices.
    pub stock: Duration,
    /// Native: mapped, every byte hashed, the verification key checked and
    /// prepared.
    pub native: Duration,
}

/// Loads the key at `path` in both ways, `pairs` times; arkworks' file is
/// written to `scratch` first.
pub fn compare_loading(
    path: &Path,
    scratch: &Path,
    pairs: usize,
) -> Result<Vec<Loading>, EngineError> {
    let failed = |error: &dyn Display| EngineError::NotVerified(error.to_string());
    let native = NativeKey::load(&KeyFile::inspect(path)?)?;
    let mut bytes = Vec::new();
    let key = proving_key(&native);
    key.serialize_uncompressed(&mut bytes)
        .and_then(|()| Ok(fs::write(scratch, &bytes)?))
        .map_err(|error| failed(&error))?;
    let native_once = || -> Result<Duration, EngineError> {
        let started = cpu();
        let key = NativeKey::load(&KeyFile::inspect(path)?)?;
        let elapsed = cpu() - started;
        drop(key);
        Ok(elapsed)
    };
    let stock_once = || -> Result<Duration, EngineError> {
        let started = cpu();
        let bytes = fs::read(scratch).map_err(|error| failed(&error))?;
        let read = ProvingKey::<Bn254>::deserialize_uncompressed_unchecked(&bytes[..]);
        let elapsed = cpu() - started;
        match read {
            Ok(read) if read == key => Ok(elapsed),
            Ok(_) => Err(failed(&"the library read another key")),
            Err(error) => Err(failed(&error)),
        }
    };
    let pair = |_| {
        Ok(Loading {
            stock_bytes: bytes.len() as u64,
            native_bytes: KeyFile::inspect(path)?.bytes(),
            native: native_once()?,
            stock: stock_once()?,
        })
    };
    (0..pairs).map(pair).collect()
}

/// The CPU time of this thread.
fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        now.tv_sec.unsigned_abs(),
        now.tv_nsec.unsigned_abs().try_into().unwrap_or(0),
    )
}
