//! Which circuits prove an inner rollup, when no circuit may be larger than a
//! limit.

use thiserror::Error;

use crate::chain::Chain;
use crate::circuit::Circuit;
use crate::statement::StatementKind;
use crate::suite::Suite;

/// How an inner rollup is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// In one circuit.
    Whole(Circuit),
    /// In several; their public inputs tie them together.
    Chain(Chain),
}

/// A circuit is larger than allowed, and no cut avoids it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "circuit {circuit} needs a domain of {needs}, MAX_CIRCUIT_SIZE is {limit}: \
     raise it to {needs} or more"
)]
pub struct TooLarge {
    /// The circuit; of an inner rollup the largest of its finest cut.
    pub circuit: Circuit,
    /// The domain that it needs: the least limit that would do.
    pub needs: u64,
    /// The limit.
    pub limit: u64,
}

impl Plan {
    /// How an inner rollup of up to `txs` txs is proved: in one circuit if its
    /// domain is at most `limit`, otherwise with as many txs to a segment, and
    /// as many nullifiers to a shard, as `limit` allows.
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
        // What is larger needs more rows, and one of each fits.
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

    /// The circuits, in the order in which a rollup's proofs first use them.
    pub fn circuits(&self) -> Vec<Circuit> {
        match self {
            Self::Whole(circuit) => vec![*circuit],
            Self::Chain(chain) => chain.circuits(),
        }
    }
}
