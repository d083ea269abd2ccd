//! What tests demand of a circuit under a witness.

use ark_bn254::Fr;

use super::parts::part;
use crate::r1cs::{Assignment, Matrices, Mode};
use crate::{CheckError, Circuit, Rule, Scope, StatementKind, Suite, Violation, Witness};

/// A rule, the part of the statement that breaks it, and how.
pub(crate) type Breaker<T> = (Scope, Rule, fn(&mut T));

impl From<(Scope, Rule)> for Violation {
    fn from((scope, rule): (Scope, Rule)) -> Self {
        Self { rule, scope }
    }
}

/// Demands that a witness follows the rules, natively and in rows, and that the
/// circuit publishes what native code says.
#[track_caller]
pub(crate) fn accepted(circuit: Circuit, w: impl Into<Witness>, public_input: Fr) {
    let w = w.into();
    assert_eq!(circuit.statement.violations(circuit.suite, &w), []);
    let report = circuit.check_raw(&w).unwrap();
    assert_eq!(report.public_input, public_input, "{circuit}");
}

/// The public input that a circuit computes, whether or not rows hold.
pub(crate) fn publishes(circuit: Circuit, w: impl Into<Witness>) -> Fr {
    circuit.assign_raw(&w.into()).unwrap().instance[1]
}

/// The part of each row that a witness does not satisfy.
pub(crate) fn failing_parts(circuit: Circuit, w: &Witness) -> Vec<&'static str> {
    let builder = circuit.run(Mode::Check, Some(w)).unwrap();
    builder.unsatisfied().iter().map(|row| row.part).collect()
}

/// Demands that exactly one rule is broken natively, and that rows notice.
#[track_caller]
pub(crate) fn refused(circuit: Circuit, w: impl Into<Witness>, broken: impl Into<Violation>) {
    let (w, broken) = (w.into(), broken.into());
    assert_eq!(circuit.statement.violations(circuit.suite, &w), [broken]);
    unsatisfied(circuit, &w, broken.rule);
}

/// Demands that rows of the part that enforces a rule do not hold; of that part
/// alone, unless the rule is entangled with others.
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
        // A deposit without its one bridge has no nonce, so the note differs too;
        // a missing tx has neither proof id nor data root.
        Rule::DepositBridge | Rule::TxCount => true,
        // Shares are of the bits of amounts.
        Rule::Range(_) if circuit.statement == StatementKind::Claim => true,
        // Pedersen hashes the bits of a value: a value out of range is hashed as
        // another one, and breaks more rows.
        _ => circuit.suite == Suite::Pedersen,
    }
}

/// Demands that rows built along with values are those built without, that all
/// hold, and that they are as many as are counted. Gives the rows and the values.
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
