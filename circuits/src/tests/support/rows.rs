//! Assertions about a circuit under a witness.

use ark_bn254::Fr;

use super::parts::part;
use crate::r1cs::{Assignment, Matrices, Mode};
use crate::{CheckError, Circuit, Rule, Scope, StatementKind, Suite, Violation, Witness};

/// The part of the statement that breaks a rule, the rule, and a change that breaks it.
pub(crate) type Breaker<T> = (Scope, Rule, fn(&mut T));

impl From<(Scope, Rule)> for Violation {
    fn from((scope, rule): (Scope, Rule)) -> Self {
        Self { rule, scope }
    }
}

/// Asserts that a witness follows the rules, natively and in the circuit, and
/// that the circuit publishes this public input.
#[track_caller]
pub(crate) fn accepted(circuit: Circuit, w: impl Into<Witness>, public_input: Fr) {
    let w = w.into();
    assert_eq!(circuit.statement.violations(circuit.suite, &w), []);
    let report = circuit.check_raw(&w).unwrap();
    assert_eq!(report.public_input, public_input, "{circuit}");
}

/// Returns the public input that a circuit computes, even if rows are not satisfied.
pub(crate) fn publishes(circuit: Circuit, w: impl Into<Witness>) -> Fr {
    circuit.assign_raw(&w.into()).unwrap().instance[1]
}

/// Returns the part of each row that a witness does not satisfy.
pub(crate) fn failing_parts(circuit: Circuit, w: &Witness) -> Vec<&'static str> {
    let builder = circuit.run(Mode::Check, Some(w)).unwrap();
    builder.unsatisfied().iter().map(|row| row.part).collect()
}

/// Asserts that natively only this rule is broken, and that the circuit refuses.
#[track_caller]
pub(crate) fn refused(circuit: Circuit, w: impl Into<Witness>, broken: impl Into<Violation>) {
    let (w, broken) = (w.into(), broken.into());
    assert_eq!(circuit.statement.violations(circuit.suite, &w), [broken]);
    unsatisfied(circuit, &w, broken.rule);
}

/// Asserts that rows of the part that enforces a rule are not satisfied, and
/// that no other part fails unless the rule is entangled with others.
#[track_caller]
pub(crate) fn unsatisfied(circuit: Circuit, w: &Witness, rule: Rule) {
    let error = circuit.check_raw(w).unwrap_err();
    assert!(matches!(error, CheckError::Unsatisfied(_)), "{error}");
    let part = part(circuit.statement, rule);
    let parts = failing_parts(circuit, w);
    assert!(parts.contains(&part), "{rule} in {circuit}: {parts:?}");
    let alone = parts.iter().all(|name| *name == part);
    assert!(alone || entangled(circuit, rule), "{rule}: {parts:?}");
}

fn entangled(circuit: Circuit, rule: Rule) -> bool {
    match rule {
        // Without its one bridge a deposit has no nonce, so the note differs as
        // well; a missing tx has neither proof id nor data root.
        Rule::DepositBridge | Rule::TxCount => true,
        // Shares are computed from the bits of amounts.
        Rule::Range(_) if circuit.statement == StatementKind::Claim => true,
        // Pedersen hashes the bits of a value: a value out of range is hashed
        // as another value, and more rows fail.
        _ => circuit.suite == Suite::Pedersen,
    }
}

/// Asserts that rows built with and without values are equal, that all are satisfied, and
/// that their number is the counted one. Returns the rows and the values.
#[track_caller]
pub(crate) fn same_matrices(circuit: Circuit, w: &Witness) -> (Matrices, Assignment) {
    let blank = circuit.matrices();
    let built = circuit.run(Mode::Full, Some(w)).unwrap().into_matrices();
    assert_eq!(built.digest(), blank.digest(), "{circuit}");
    let assignment = circuit.assign_raw(w).unwrap();
    assert_eq!(blank.first_unsatisfied(&assignment), None, "{circuit}");
    assert_eq!(blank.num_rows, circuit.num_rows(), "{circuit}");
    let parts: usize = circuit.rows().iter().map(|(_, rows)| rows).sum();
    assert_eq!(blank.num_rows, parts, "{circuit}");
    (blank, assignment)
}
