//! The interface that every statement implements.

use ark_bn254::Fr;
use zkwhirl_job::Topic;

use crate::error::{PublishedError, StatementError};
use crate::r1cs::Builder;
use crate::rule::Violation;
use crate::suite::Suite;

/// A statement of some size: its name, its published fields, and its rules, both
/// native and as rows (constraints). The implementing type contains the sizes.
pub(crate) trait Statement: Copy {
    /// All values of the statement, whether or not they follow its rules.
    type Witness: Default;
    /// The first part of the circuit's name.
    const NAME: &'static str;
    /// The number at the start of the public input's chain. Each statement, and
    /// the state between segments, has another tag.
    const TAG: u64;
    /// The topic whose workers use the circuit. Outer jobs make the keys of clients.
    const TOPIC: Topic;
    /// The suites in which the circuit exists.
    const SUITES: &'static [Suite] = &Suite::ALL;
    /// Index of the published field that the chain leaves out: a SHA-256 of
    /// other published words, which a verifier recomputes.
    const LEFT_OUT: Option<usize> = None;

    /// Number of published fields, for a statement that has only one size.
    const FIELDS: usize = 0;

    /// Returns whether circuits of these sizes exist.
    fn is_possible(self) -> bool {
        true
    }

    /// Returns the number of published fields; 0 for a piece of a chain.
    fn fields(self) -> usize {
        Self::FIELDS
    }

    /// Returns the number of tx slots; each has a client digest after the published fields.
    fn slots(self) -> usize {
        0
    }

    /// Checks the rules that the rows leave to a verifier of published words.
    /// `_fields` are [`Statement::fields`] canonical elements.
    fn check_words(self, _fields: &[Fr]) -> Result<(), PublishedError> {
        Ok(())
    }

    /// Returns any witness, for runs of the circuit's code without values.
    fn blank(self) -> Self::Witness {
        Self::Witness::default()
    }

    /// Returns every rule that a witness breaks, in the order of the checks. A
    /// piece of a chain has no native rules of its own.
    fn violations(self, _suite: Suite, _w: &Self::Witness) -> Vec<Violation> {
        Vec::new()
    }

    /// Enforces every rule and publishes the public input.
    fn enforce(self, b: &mut Builder, suite: Suite, w: &Self::Witness);
}

/// Returns the first broken rule as an error.
pub(super) fn demand_none(broken: &[Violation]) -> Result<(), StatementError> {
    let first = broken.first();
    first.map_or(Ok(()), |first| Err(StatementError::Broken(*first)))
}
