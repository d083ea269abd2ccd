//! Chooses the circuits that prove an inner rollup when circuits have a size
//! limit.

use thiserror::Error;

use crate::chain::Chain;
use crate::circuit::Circuit;
use crate::statement::StatementKind;
use crate::suite::Suite;

/// The circuits that prove an inner rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// One circuit proves the rollup.
    Whole(Circuit),
    /// Several circuits prove the rollup; equal values in their public inputs connect them.
    Chain(Chain),
}

/// A circuit is larger than the limit, and no cut makes it small enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "circuit {circuit} needs a domain of {needs}, MAX_CIRCUIT_SIZE is {limit}: \
     raise it to {needs} or more"
)]
pub struct TooLarge {
    /// The circuit; for an inner rollup, the largest circuit of its finest cut.
    pub circuit: Circuit,
    /// The domain that the circuit needs, which is the smallest sufficient limit.
    pub needs: u64,
    /// The limit, `MAX_CIRCUIT_SIZE`.
    pub limit: u64,
}

impl Plan {
    /// Chooses how an inner rollup of up to `txs` txs is proved: in one circuit
    /// if its domain is at most `limit`, otherwise with as many txs per
    /// segment, and as many nullifiers per shard, as `limit` allows.
    pub fn of(suite: Suite, txs: u32, limit: u64) -> Result<Self, TooLarge> {
        let whole = Circuit {
            suite,
            statement: StatementKind::TxRollup { txs },
        };
        if whole.domain() <= limit {
            return Ok(Self::Whole(whole));
        }
        let finest = Chain::new(suite, txs, 1, 1);
        let circuits = finest.circuits().into_iter();
        let largest = circuits.max_by_key(Circuit::domain);
        if let Some(circuit) = largest.filter(|circuit| circuit.domain() > limit) {
            return Err(TooLarge {
                circuit,
                needs: circuit.domain(),
                limit,
            });
        }
        let fits = |statement| Circuit { suite, statement }.domain() <= limit;
        // A larger piece needs more rows, and a piece of size 1 fits.
        let sizes = |most: u32| (1..=most).collect::<Vec<_>>();
        let segments = |segment: &u32| {
            fits(StatementKind::TxSegment {
                txs: *segment,
                of: txs,
            })
        };
        let segment = sizes(txs).partition_point(segments) as u32;
        let shards = |count: &u32| fits(StatementKind::TxNullifiers { count: *count });
        let shard = sizes(2 * txs).partition_point(shards) as u32;
        Ok(Self::Chain(Chain::new(suite, txs, segment, shard)))
    }

    /// Returns the circuits in the order in which a rollup's proofs first use them.
    pub fn circuits(&self) -> Vec<Circuit> {
        match self {
            Self::Whole(circuit) => vec![*circuit],
            Self::Chain(chain) => chain.circuits(),
        }
    }
}
