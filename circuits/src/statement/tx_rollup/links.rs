//! Links to outputs of earlier txs, as rows (constraints).

use ark_bn254::Fr;

use super::TxWitness;
use crate::gadgets::bits::{is_equal, is_zero};
use crate::gadgets::merkle::root_of;
use crate::r1cs::{Builder, Num};
use crate::suite::Suite;

/// The outputs of a tx, to which later txs may link.
pub(super) struct Outputs {
    commitments: [Num; 2],
    allow_chain: Num,
    /// Whether each output allows chaining.
    allowed: [Num; 2],
}

impl Outputs {
    pub(super) fn new(b: &mut Builder, commitments: [Num; 2], allow_chain: &Num) -> Self {
        let [first, second, both] =
            [1u64, 2, 3].map(|which| is_zero(b, &allow_chain.plus(-Fr::from(which))));
        let allowed = [first, second].map(|only| only.num() + both.num());
        Self {
            commitments,
            allow_chain: allow_chain.clone(),
            allowed,
        }
    }

    /// Returns the two commitments, then one number for which of them allow chaining.
    pub(super) fn triple(&self) -> [Num; 3] {
        let [first, second] = self.commitments.clone();
        [first, second, self.allow_chain.clone()]
    }
}

/// Enforces that a link is zero, or an output of an earlier tx that allows
/// chaining, or else a leaf under the old data root. If several outputs match,
/// the last tx counts, and in it the first output.
pub(super) fn enforce_link(
    b: &mut Builder,
    suite: Suite,
    link: &Num,
    earlier: &[Outputs],
    tree: (&TxWitness, &Num),
) {
    let matched = b.part("chaining", |b| {
        let present = is_zero(b, link).not();
        let (found, allowed) = search(b, link, earlier);
        let matched = b.mul(present.num(), &found);
        if !earlier.is_empty() {
            b.zero_where(&matched, &(&Num::one() - &allowed));
        }
        present.num() - &matched
    });
    let (tx, old_data_root) = tree;
    b.part("linked commitment membership", |b| {
        let root = root_of(b, suite, link, (tx.link_index, &tx.link_siblings));
        b.zero_where(&matched, &(&root - old_data_root));
    });
}

/// Returns whether an earlier output matches, and whether the last matching
/// output allows chaining.
fn search(b: &mut Builder, link: &Num, earlier: &[Outputs]) -> (Num, Num) {
    let (mut found, mut allowed) = (Num::zero(), Num::zero());
    for outputs in earlier {
        let [first, second] = &outputs.commitments;
        let (first, second) = (is_equal(b, link, first), is_equal(b, link, second));
        let here = b.or(&first, &second);
        let allowed_here = b.select(&first, &outputs.allowed[0], &outputs.allowed[1]);
        allowed = b.select(&here, &allowed_here, &allowed);
        let both = b.mul(&found, here.num());
        found = &(&found + here.num()) - &both;
    }
    (found, allowed)
}
