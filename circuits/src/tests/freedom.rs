//! Tests that no single variable of a satisfied circuit can be changed.
//!
//! This does not prove that a circuit is fully constrained, but it finds the
//! usual mistake: a hint that no row constrains.

use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::support::root::RootPlan;
use super::support::rows::same_matrices;
use super::support::vectors;
use super::support::world::TxPlan;
use crate::claim::ClaimWitness;
use crate::r1cs::{Assignment, Matrices};
use crate::root_rollup::RootSize;
use crate::test_util::{Payment, Registration};
use crate::{Chain, Circuit, StatementKind, Suite, Witness};

/// Returns the rows that use each variable.
fn uses(matrices: &Matrices) -> Vec<Vec<u32>> {
    let mut uses = vec![Vec::new(); matrices.num_instance + matrices.num_witness];
    for matrix in [&matrices.a, &matrices.b, &matrices.c] {
        for row in 0..matrices.num_rows {
            for (column, _) in matrices.row(matrix, row) {
                uses[column as usize].push(row as u32);
            }
        }
    }
    uses
}

/// Returns the variables that could take another value while all others stay.
///
/// As a function of one variable, a row is a quadratic with at most two roots,
/// so three other values are enough to decide.
fn free(matrices: &Matrices, values: &mut Assignment) -> Vec<usize> {
    let uses = uses(matrices);
    let mut free = Vec::new();
    for at in 0..values.witness.len() {
        let old = values.witness[at];
        let rows = &uses[at + matrices.num_instance];
        let moves = [Fr::ONE, -Fr::ONE, Fr::from(0x1234_5678_u64)];
        let movable = moves.into_iter().any(|step| {
            values.witness[at] = old + step;
            rows.iter().all(|row| matrices.holds(*row as usize, values))
        });
        values.witness[at] = old;
        if movable {
            free.push(at);
        }
    }
    free
}

/// Asserts that each free variable is a hint whose value does not matter, such
/// as the inverse of a zero: a factor of one row whose other factor is zero.
/// Also asserts that the matrices do not depend on the witness.
#[track_caller]
fn check(circuit: Circuit, witness: impl Into<Witness>) {
    let (matrices, mut values) = same_matrices(circuit, &witness.into());
    let free = free(&matrices, &mut values);
    let uses = uses(&matrices);
    for at in &free {
        let column = at + matrices.num_instance;
        let [row] = uses[column][..] else {
            let rows = &uses[column];
            panic!("{circuit}: free variable {at} is used by {rows:?}");
        };
        let row = row as usize;
        let uses = |matrix| {
            let mut columns = matrices.row(matrix, row).map(|(column, _)| column as usize);
            columns.any(|used| used == column)
        };
        let in_a = uses(&matrices.a);
        let other = if in_a { &matrices.b } else { &matrices.a };
        assert_eq!(matrices.dot(other, row, &values), Fr::ZERO);
        assert!(!uses(&matrices.c));
    }
}

#[test]
fn claims() {
    for suite in Suite::ALL {
        for name in ["extra_flow_claim", "extra_claim_2"] {
            let request = vectors::claim(&format!("pedersen/{name}_request.bin"));
            let w = ClaimWitness::new(&request).unwrap().refolded(suite);
            let statement = StatementKind::Claim;
            check(Circuit { suite, statement }, w);
        }
    }
}

#[test]
fn tx_rollups() {
    for (suite, txs) in [
        (Suite::Poseidon, 1),
        (Suite::Poseidon, 2),
        (Suite::Pedersen, 1),
    ] {
        let plan = TxPlan::new(suite, txs);
        check(plan.circuit(), plan.witness());
    }
}

#[test]
fn clients() {
    let circuit: Circuit = "join-split/poseidon".parse().unwrap();
    for start in [Payment::registered, Payment::deposit, Payment::defi_deposit] {
        check(circuit, start().w);
    }
    let circuit: Circuit = "account/poseidon".parse().unwrap();
    for registration in [Registration::create(), Registration::another_key()] {
        check(circuit, registration.w);
    }
}

#[test]
fn root_rollups() {
    for (suite, inners, slots) in [
        (Suite::Poseidon, 1, 1),
        (Suite::Poseidon, 3, 2),
        (Suite::Pedersen, 1, 1),
    ] {
        let plan = RootPlan::new(suite, RootSize { inners, slots });
        check(plan.circuit(), plan.witness());
    }
}

#[test]
fn pieces_of_chains() {
    for (suite, txs, segment) in [
        (Suite::Poseidon, 2, 1),
        (Suite::Poseidon, 3, 2),
        (Suite::Pedersen, 2, 1),
    ] {
        let w = Arc::new(TxPlan::new(suite, txs).witness());
        let chain = Chain::new(suite, txs, segment, 1);
        let (witnesses, _) = chain.cut(&w);
        let pieces = chain.pieces(w.txs.len());
        for circuit in chain.circuits() {
            let last = pieces.iter().rposition(|piece| piece.circuit == circuit);
            check(circuit, witnesses[last.unwrap()].clone());
        }
    }
}
