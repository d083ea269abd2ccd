//! Checks every kind of payment, and breaks each rule alone.

mod keys;
mod kinds;
mod rules;

use ark_bn254::Fr;

use super::{JoinSplitWitness, check, published};
use crate::test_util::Payment;
use crate::tests::support::rows;
use crate::{Circuit, Rule, StatementError, StatementKind, Suite};

const CIRCUIT: Circuit = Circuit {
    suite: Suite::Poseidon,
    statement: StatementKind::JoinSplit,
};

/// Asserts that a payment follows the rules, natively and in the circuit, and
/// returns its published fields.
#[track_caller]
fn accepted(payment: &Payment) -> Vec<Fr> {
    let published = check(&payment.w).unwrap();
    rows::accepted(CIRCUIT, payment.w.clone(), published.public_input());
    published.fields().to_vec()
}

/// Asserts that a payment breaks only this rule, natively and in the part of
/// the circuit that enforces it.
#[track_caller]
fn refused(payment: Payment, rule: Rule) {
    assert_eq!(check(&payment.w), Err(StatementError::from(rule)));
    rows::refused(CIRCUIT, payment.w, rule);
}
