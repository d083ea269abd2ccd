//! The library's own prover over the same key, for the benchmarks.

use std::{fmt::Display, fs, path::Path};

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16, ProvingKey, VerifyingKey};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use ark_std::UniformRand;
use rand::rngs::OsRng;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Duration, Instant};
use zkwhirl_job::Request;
use zkwhirl_keystore::KeyFile;

use super::{Engine, EngineError, groth16};
use crate::native::{
    keys::{MappedMatrices, MappedMatrix, NativeKey},
    reply::CheckedStatement,
};

/// The matrices and the key in the library's own types.
#[derive(Debug)]
pub struct Stock {
    key: ProvingKey<Bn254>,
    matrices: Vec<Vec<Vec<(Fr, usize)>>>,
}

/// The same request proved by both provers, from the same key and witness.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// Constraints.
    pub rows: usize,
    /// `ark_groth16`, from stored matrices.
    pub stock: Duration,
    /// The native engine's arithmetic.
    pub native: Duration,
}

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
    let key = Stock::new(&native).key;
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

/// Proves the first part of a request with both provers and verifies both
/// proofs.
pub fn compare(engine: &mut Engine, request: &Request) -> Result<Pair, EngineError> {
    let statement = CheckedStatement::of(request, engine.setting())?;
    let part = &statement.parts[0];
    let key = engine.key(&part.circuit, &|_| {})?;
    let assignment = part.assign()?;
    let stock = Stock::new(&key);
    let blinding = || [Fr::rand(&mut OsRng), Fr::rand(&mut OsRng)];

    let started = Instant::now();
    let native_proof = groth16::prove(
        &key.queries,
        &key.matrices,
        &assignment,
        blinding(),
        &|_| {},
    )?;
    let native = started.elapsed();

    let started = Instant::now();
    let [r, s] = blinding();
    let full = [&assignment.instance[..], &assignment.witness].concat();
    let stock_proof = Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
        &stock.key,
        r,
        s,
        &stock.matrices,
        key.matrices.num_instance,
        key.matrices.num_rows,
        &full,
    )
    .map_err(|error| EngineError::NotVerified(error.to_string()))?;
    let stock = started.elapsed();

    for proof in [&native_proof, &stock_proof] {
        let (prepared, public_input) = (&key.verifying().prepared, [part.public_input]);
        let verified = Groth16::<Bn254>::verify_proof(prepared, proof, &public_input);
        if !verified.is_ok_and(|holds| holds) {
            return Err(EngineError::NotVerified("says the library".to_owned()));
        }
    }
    Ok(Pair {
        rows: key.matrices.num_rows,
        stock,
        native,
    })
}

impl Stock {
    fn new(key: &NativeKey) -> Self {
        let queries = &key.queries;
        let matrices = &key.matrices;
        let rows = |matrix: &MappedMatrix| rows(matrices, matrix);
        Self {
            key: ProvingKey {
                vk: VerifyingKey::clone(&key.verifying().prepared.vk),
                beta_g1: queries.beta_g1,
                delta_g1: queries.delta_g1,
                a_query: queries.a.to_vec(),
                b_g1_query: queries.b_g1.to_vec(),
                b_g2_query: queries.b_g2.to_vec(),
                h_query: queries.h.to_vec(),
                l_query: queries.l.to_vec(),
            },
            matrices: vec![rows(&matrices.a), rows(&matrices.b), rows(&matrices.c)],
        }
    }
}

fn rows(matrices: &MappedMatrices, matrix: &MappedMatrix) -> Vec<Vec<(Fr, usize)>> {
    (0..matrices.num_rows)
        .map(|row| {
            let entries = matrices.row(matrix, row);
            entries.map(|(column, k)| (*k, column as usize)).collect()
        })
        .collect()
}
