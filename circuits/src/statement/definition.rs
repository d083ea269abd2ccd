//! What a statement consists of.

use ark_bn254::Fr;
use zkwhirl_job::Topic;

use crate::error::{PublishedError, StatementError};
use crate::r1cs::Builder;
use crate::rule::Violation;
use crate::suite::Suite;

/// A statement of some size: its name, its published fields, its rules natively
/// and in rows. The implementing type holds the sizes.
pub(crate) trait Statement: Copy {
    /// All values of the statement, whether or not they follow its rules.
    type Witness: Default;
    /// What native code computes of the published words; nothing for a piece of
    /// a chain, which has no reply of its own.
    type Published;

    /// The first part of the circuit's name.
    const NAME: &'static str;
    /// The number that the public input's chain starts with. Each statement has
    /// its own, and so has the state between segments.
    const TAG: u64;
    /// Workers of this topic use the circuit. Outer jobs make the keys of clients.
    const TOPIC: Topic;
    /// The suites that have such a circuit.
    const SUITES: &'static [Suite] = &Suite::ALL;
    /// The published field that the chain leaves out: a SHA-256 of other
    /// published words, which a verifier recomputes.
    const LEFT_OUT: Option<usize> = None;

    /// Whether circuits have these sizes.
    fn is_possible(self) -> bool {
        true
    }

    /// Published fields; 0 for a piece of a chain.
    fn fields(self) -> usize {
        0
    }

    /// Tx slots, each with a client digest behind the published fields.
    fn slots(self) -> usize {
        0
    }

    /// Checks what the rows leave to a verifier of published words, given as
    /// [`Statement::fields`] canonical elements.
    fn check_words(self, _fields: &[Fr]) -> Result<(), PublishedError> {
        Ok(())
    }

    /// Any witness, for runs of the rows without values.
    fn blank(self) -> Self::Witness {
        Self::Witness::default()
    }

    /// What a witness publishes, and every rule that it breaks, in the order in
    /// which the rules are checked.
    fn evaluate(self, suite: Suite, w: &Self::Witness) -> (Self::Published, Vec<Violation>);

    /// Enforces every rule and publishes the public input.
    fn enforce(self, b: &mut Builder, suite: Suite, w: &Self::Witness);
}

/// Checks every rule natively; gives what the statement publishes.
pub(super) fn check<S: Statement>(
    statement: S,
    suite: Suite,
    w: &S::Witness,
) -> Result<S::Published, StatementError> {
    let (published, violations) = statement.evaluate(suite, w);
    match violations.first() {
        Some(first) => Err(StatementError::Broken(*first)),
        None => Ok(published),
    }
}
