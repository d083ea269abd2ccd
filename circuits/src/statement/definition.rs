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

    /// Published fields of a statement of one size.
    const FIELDS: usize = 0;

    /// Whether circuits have these sizes.
    fn is_possible(self) -> bool {
        true
    }

    /// Published fields; 0 for a piece of a chain.
    fn fields(self) -> usize {
        Self::FIELDS
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

    /// Every rule that a witness breaks, in the order in which the rules are
    /// checked. A piece of a chain has no native code of its own.
    fn violations(self, _suite: Suite, _w: &Self::Witness) -> Vec<Violation> {
        Vec::new()
    }

    /// Enforces every rule and publishes the public input.
    fn enforce(self, b: &mut Builder, suite: Suite, w: &Self::Witness);
}

/// The first broken rule is the error.
pub(super) fn demand_none(broken: &[Violation]) -> Result<(), StatementError> {
    let first = broken.first();
    first.map_or(Ok(()), |first| Err(StatementError::Broken(*first)))
}
