//! Native checks of whole requests: every rule, without a circuit.

pub mod account;
pub mod claim;
pub mod join_split;
mod registry;
pub mod root_rollup;
pub mod tx_rollup;

pub use registry::{MAX_INNERS, MAX_TXS, StatementKind};

use ark_bn254::Fr;
use zkwhirl_job::request::{ClaimRequest, RootRollupRequest, TxRollupRequest};

use crate::error::{Rule, StatementError};
use crate::published::Published;
use crate::suite::Suite;
use account::AccountWitness;
use claim::ClaimWitness;
use join_split::JoinSplitWitness;
use root_rollup::{Broadcast, RootRollupWitness, RootSize};
use tx_rollup::TxRollupWitness;

/// A claim that follows every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimStatement {
    /// The 16 public inputs of the claim's reply.
    pub published: Published,
}

/// An inner rollup that follows every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxRollupStatement {
    /// The reply's fields before the recursion limbs.
    pub published: Published,
}

/// A root rollup that follows every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootRollupStatement {
    /// The broadcast data and what stands behind it.
    pub broadcast: Broadcast,
}

impl ClaimStatement {
    /// The circuit's public input.
    pub fn public_input(&self) -> Fr {
        self.published.public_input()
    }
}

impl TxRollupStatement {
    /// The circuit's public input.
    pub fn public_input(&self) -> Fr {
        self.published.public_input()
    }
}

impl RootRollupStatement {
    /// The circuit's public input.
    pub fn public_input(&self) -> Fr {
        self.broadcast.published().public_input()
    }
}

/// Checks a claim request.
pub fn claim(suite: Suite, request: &ClaimRequest) -> Result<ClaimStatement, StatementError> {
    let witness = ClaimWitness::new(request)?;
    match claim::violations(suite, &witness).first() {
        Some(rule) => Err((*rule).into()),
        None => Ok(ClaimStatement {
            published: claim::published(suite, &witness),
        }),
    }
}

/// Checks a tx rollup request for a circuit of some capacity.
pub fn tx_rollup(
    suite: Suite,
    request: &TxRollupRequest,
    capacity: u32,
) -> Result<TxRollupStatement, StatementError> {
    let witness = TxRollupWitness::new(request, capacity)?;
    let (published, violations) = tx_rollup::evaluate(suite, capacity, &witness);
    match violations.first() {
        Some((tx, rule)) => Err(StatementError::Broken {
            tx: *tx,
            rule: *rule,
        }),
        None => Ok(TxRollupStatement { published }),
    }
}

/// Checks a client's payment.
pub fn join_split(witness: &JoinSplitWitness) -> Result<Published, StatementError> {
    unbroken(&join_split::violations(witness))?;
    Ok(join_split::published(witness))
}

/// Checks a client's account.
pub fn account(witness: &AccountWitness) -> Result<Published, StatementError> {
    unbroken(&account::violations(witness))?;
    Ok(account::published(witness))
}

fn unbroken(violations: &[Rule]) -> Result<(), StatementError> {
    violations
        .first()
        .map_or(Ok(()), |rule| Err((*rule).into()))
}

/// Checks a root rollup request for a circuit of some size. Of the inner
/// replies it reads the published words; whether they are proved is for
/// others to say.
pub fn root_rollup(
    suite: Suite,
    request: &RootRollupRequest,
    size: RootSize,
) -> Result<RootRollupStatement, StatementError> {
    let witness = RootRollupWitness::new(request, size)?;
    let (broadcast, violations) = root_rollup::evaluate(suite, size, &witness);
    match violations.first() {
        Some((Some(at), rule)) => Err(StatementError::BrokenInner {
            at: *at,
            rule: *rule,
        }),
        Some((None, rule)) => Err((*rule).into()),
        None => Ok(RootRollupStatement { broadcast }),
    }
}
