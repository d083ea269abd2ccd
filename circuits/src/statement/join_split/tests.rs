//! The join-split statement: every kind, and every rule broken alone.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

#[path = "../common/clients.rs"]
#[expect(dead_code, reason = "accounts have a test of their own")]
mod clients;
mod keys;
mod kinds;
mod rules;

use ark_bn254::Fr;
use clients::Payment;
use zkwhirl_circuits::join_split::{JoinSplitWitness, violations};
use zkwhirl_circuits::{CheckError, Circuit, Rule, StatementKind, Suite, Witness, statement};

const CIRCUIT: Circuit = Circuit {
    suite: Suite::Poseidon,
    statement: StatementKind::JoinSplit,
};

fn raw(w: &JoinSplitWitness) -> Witness {
    Witness::JoinSplit(Box::new(w.clone()))
}

/// A payment whose values are changed, then settled and signed like any other.
fn settled(start: fn() -> Payment, change: impl Fn(&mut JoinSplitWitness)) -> Payment {
    let mut payment = start();
    change(&mut payment.w);
    payment.settle();
    payment
}

/// One that is changed after it was settled and signed.
fn changed(start: fn() -> Payment, change: impl Fn(&mut JoinSplitWitness)) -> Payment {
    let mut payment = start();
    change(&mut payment.w);
    payment
}

/// Demands that a payment follows the rules, natively and in rows, and gives
/// what it publishes.
#[track_caller]
fn accepted(payment: &Payment) -> Vec<Fr> {
    assert_eq!(violations(&payment.w), []);
    let published = statement::join_split(&payment.w).unwrap();
    let report = CIRCUIT.check(&payment.w).unwrap();
    assert_eq!(report.public_input, published.public_input());
    published.fields().to_vec()
}

/// Demands that a payment breaks one rule alone, natively and in the part of
/// the circuit that enforces it.
#[track_caller]
fn refused(payment: &Payment, rule: Rule) {
    assert_eq!(violations(&payment.w), [rule]);
    let error = CIRCUIT.check(&payment.w).unwrap_err();
    assert_eq!(error, CheckError::Statement(rule.into()));
    let rows = CIRCUIT.unsatisfied_raw(&raw(&payment.w)).unwrap();
    assert!(!rows.is_empty(), "{rule:?}: every row holds");
    let parts: Vec<&str> = rows.iter().map(|row| row.part).collect();
    assert!(
        parts.iter().all(|name| *name == part(rule)),
        "{rule:?}: {parts:?}"
    );
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
