//! The library's own prover over the same key: the yardstick of the benchmark.

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16, ProvingKey, VerifyingKey};
use ark_std::UniformRand;
use rand::rngs::OsRng;
use tokio::time::{Duration, Instant};
use zkwhirl_circuits::r1cs::{Matrices, Matrix};
use zkwhirl_job::Request;

use super::{Engine, EngineError, groth16, statement::Statement};

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

/// Proves a request with both provers and verifies both proofs.
pub fn compare(engine: &mut Engine, request: &Request) -> Result<Pair, EngineError> {
    let config = engine.config();
    let statement = Statement::of(request, config.suite, config.sizes)?;
    let key = engine.key(&statement.circuit, &|_| {})?;
    let assignment = statement.assign()?;
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
        let public_input = [statement.public_input()];
        let verified =
            Groth16::<Bn254>::verify_proof(&key.verifying().prepared, proof, &public_input);
        if !verified.is_ok_and(|holds| holds) {
            return Err(EngineError::NotVerified("by the library".to_owned()));
        }
    }
    Ok(Pair {
        rows: key.rows(),
        stock,
        native,
    })
}

impl Stock {
    fn new(key: &super::NativeKey) -> Self {
        let queries = &key.queries;
        let matrices = &key.matrices;
        let rows = |matrix: &Matrix| rows(matrices, matrix);
        Self {
            key: ProvingKey {
                vk: VerifyingKey::clone(&key.verifying().prepared.vk),
                beta_g1: queries.beta_g1,
                delta_g1: queries.delta_g1,
                a_query: queries.a.clone(),
                b_g1_query: queries.b_g1.clone(),
                b_g2_query: queries.b_g2.clone(),
                h_query: queries.h.clone(),
                l_query: queries.l.clone(),
            },
            matrices: vec![rows(&matrices.a), rows(&matrices.b), rows(&matrices.c)],
        }
    }
}

fn rows(matrices: &Matrices, matrix: &Matrix) -> Vec<Vec<(Fr, usize)>> {
    (0..matrices.num_rows)
        .map(|row| {
            let entries = matrices.row(matrix, row);
            entries.map(|(column, k)| (*k, column as usize)).collect()
        })
        .collect()
}
