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
        let segment = largest_that(txs, |segment| {
            fits(StatementKind::TxSegment {
                txs: segment,
                of: txs,
            })
        });
        let shard = largest_that(2 * txs, |count| fits(StatementKind::TxNullifiers { count }));
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

/// The largest number from 1 to `most` for which `holds` is true, if it is true
/// for all smaller numbers and for no larger one. `holds(1)` is assumed.
fn largest_that(most: u32, holds: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (1, most);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if holds(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_that_holds_is_found() {
        for most in 1..20 {
            for limit in 1..=most {
                assert_eq!(largest_that(most, |n| n <= limit), limit);
            }
        }
    }
}
