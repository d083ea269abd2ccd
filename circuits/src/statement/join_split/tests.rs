//! Every kind of payment, and every rule broken alone.

mod keys;
mod kinds;
mod rules;

use ark_bn254::Fr;

use super::{JoinSplitWitness, check};
use crate::test_util::Payment;
use crate::tests::support::rows;
use crate::{Circuit, Rule, StatementError, StatementKind, Suite};

const CIRCUIT: Circuit = Circuit {
    suite: Suite::Poseidon,
    statement: StatementKind::JoinSplit,
};

/// A payment whose values are changed, then settled and signed like any other.
fn settled(start: fn() -> Payment, change: impl Fn(&mut JoinSplitWitness)) -> Payment {
    let mut payment = start();
    change(&mut payment.w);
    payment.settle();
    payment
}

/// A payment that is changed after it was settled and signed.
fn changed(start: fn() -> Payment, change: impl Fn(&mut JoinSplitWitness)) -> Payment {
    let mut payment = start();
    change(&mut payment.w);
    payment
}

/// Demands that a payment follows the rules, natively and in rows, and gives
/// what it publishes.
#[track_caller]
fn accepted(payment: &Payment) -> Vec<Fr> {
    let published = check(&payment.w).unwrap();
    rows::accepted(CIRCUIT, payment.w.clone(), published.public_input());
    published.fields().to_vec()
}

/// Demands that a payment breaks one rule alone, natively and in the part of
/// the circuit that enforces it.
#[track_caller]
fn refused(payment: &Payment, rule: Rule) {
    assert_eq!(check(&payment.w), Err(StatementError::from(rule)));
    rows::refused(CIRCUIT, payment.w.clone(), rule, part(rule));
}

fn part(rule: Rule) -> &'static str {
    match rule {
        Rule::PaymentKind => "kind",
        Rule::Range("public value" | "public owner" | "deposit" | "fee")
        | Rule::PublicOnly(_)
        | Rule::PublicVirtual
        | Rule::DepositOnly("deposit value") => "public values",
        Rule::Range("asset") => "ranges",
        Rule::Range("input value 1" | "input value 2")
        | Rule::InputOrder
        | Rule::NoInput
        | Rule::UnusedValue(_) => "input notes",
        Rule::InputNote(_) | Rule::Range("input note index 1" | "input note index 2") => {
            "input note membership"
        }
        Rule::PrivateKey => "account key",
        Rule::SigningKey
        | Rule::SigningKeyCurve
        | Rule::AccountNote
        | Rule::Range("account note index") => "account note membership",
        Rule::Signature | Rule::Range("signature") => "signature",
        Rule::Creator(_)
        | Rule::ClaimValue
        | Rule::ChainClaim
        | Rule::ChainOwner(_)
        | Rule::Range("output value 1" | "output value 2") => "output notes",
        Rule::Balance => "balance",
        Rule::BackwardLink => "chaining",
        _ => "bridge call data",
    }
}
