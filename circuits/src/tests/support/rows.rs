//! What tests demand of a circuit under a witness.

use ark_bn254::Fr;

use crate::r1cs::Mode;
use crate::{CheckError, Circuit, Rule, Scope, Suite, Violation, Witness};

/// A rule that a tx breaks, or the rollup as a whole.
pub(crate) fn by_tx(tx: Option<usize>, rule: Rule) -> Violation {
    let scope = tx.map_or(Scope::Whole, Scope::Tx);
    Violation { rule, scope }
}

/// A rule that an inner rollup breaks, or the root rollup as a whole.
pub(crate) fn by_inner(inner: Option<usize>, rule: Rule) -> Violation {
    let scope = inner.map_or(Scope::Whole, Scope::Inner);
    Violation { rule, scope }
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

/// The part of each row that a witness does not satisfy.
pub(crate) fn failing_parts(circuit: Circuit, w: &Witness) -> Vec<&'static str> {
    let builder = circuit.run(Mode::Check, Some(w)).unwrap();
    builder.unsatisfied().iter().map(|row| row.part).collect()
}

/// Demands that exactly one rule is broken natively, and that rows of one part of
/// the circuit notice; of that part alone in the poseidon suite.
///
/// Pedersen hashes the bits of a value: a value out of range is hashed as another
/// one, and breaks more rows.
#[track_caller]
pub(crate) fn refused(
    circuit: Circuit,
    w: impl Into<Witness>,
    broken: impl Into<Violation>,
    part: &str,
) {
    let (w, broken) = (w.into(), broken.into());
    let parts = noticed(circuit, &w, broken, part);
    let alone = parts.iter().all(|name| *name == part);
    assert!(
        alone || circuit.suite == Suite::Pedersen,
        "{broken}: {parts:?}"
    );
}

/// As [`refused`], but rows of other parts may notice as well.
#[track_caller]
pub(crate) fn noticed(
    circuit: Circuit,
    w: &Witness,
    broken: Violation,
    part: &str,
) -> Vec<&'static str> {
    assert_eq!(circuit.statement.violations(circuit.suite, w), [broken]);
    let error = circuit.check_raw(w).unwrap_err();
    assert!(matches!(error, CheckError::Unsatisfied(_)), "{error}");
    let parts = failing_parts(circuit, w);
    assert!(parts.contains(&part), "{broken} in {circuit}: {parts:?}");
    parts
}

/// Demands that rows built along with values are those built without, that all
/// hold, and that they are as many as are counted.
#[track_caller]
pub(crate) fn same_matrices(circuit: Circuit, w: impl Into<Witness>) {
    let w = w.into();
    let blank = circuit.matrices();
    let built = circuit.run(Mode::Full, Some(&w)).unwrap().into_matrices();
    assert_eq!(built.digest(), blank.digest(), "{circuit}");
    let assignment = circuit.assign_raw(&w).unwrap();
    assert_eq!(blank.first_unsatisfied(&assignment), None, "{circuit}");
    assert_eq!(blank.num_rows, circuit.num_rows(), "{circuit}");
}

/// How many drawn witnesses followed the rules, and how many did not.
#[derive(Default)]
pub(crate) struct Tally {
    valid: usize,
    invalid: usize,
}

impl Tally {
    /// Demands that native code and the rows say the same about a witness.
    #[track_caller]
    pub(crate) fn agree(
        &mut self,
        seed: u64,
        circuit: Circuit,
        w: impl Into<Witness>,
        public_input: Fr,
    ) {
        let w = w.into();
        let broken = circuit.statement.violations(circuit.suite, &w);
        let checked = circuit.check_raw(&w);
        assert_eq!(
            checked.is_ok(),
            broken.is_empty(),
            "seed {seed}: {broken:?}, {checked:?}"
        );
        match checked {
            Ok(report) => {
                assert_eq!(report.public_input, public_input, "seed {seed}");
                self.valid += 1;
            }
            Err(_) => self.invalid += 1,
        }
    }

    /// Demands that more than so many were valid, and more than so many were not.
    #[track_caller]
    pub(crate) fn exceeds(&self, valid: usize, invalid: usize) {
        let Self {
            valid: good,
            invalid: bad,
        } = self;
        assert!(
            *good > valid && *bad > invalid,
            "{good} valid, {bad} invalid"
        );
    }
}
