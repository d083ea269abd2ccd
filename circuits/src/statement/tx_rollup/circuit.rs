//! The rules of an inner rollup as rows (constraints).

use ark_bn254::Fr;
use zkwhirl_job::Topic;

use super::data_tree::insert_notes;
use super::lists::MatchedLists;
use super::rules::evaluate;
use super::slot::SharedRows;
use super::{MAX_TXS, TxRollup, TxRollupWitness, TxWitness};
use crate::error::{PublishedError, StatementError};
use crate::published::{
    FIELDS_PER_TX, Published, TX_ROLLUP_HEADER, check_tx_words, place, publish,
};
use crate::r1cs::{Builder, Num};
use crate::rule::Violation;
use crate::statement::definition::{self, Statement};
use crate::suite::Suite;

impl Statement for TxRollup {
    type Witness = TxRollupWitness;

    const NAME: &'static str = "tx-rollup";
    const TAG: u64 = 2;
    const TOPIC: Topic = Topic::Inner;
    const LEFT_OUT: Option<usize> = Some(place::INPUTS_HASH);

    fn is_possible(self) -> bool {
        (1..=MAX_TXS).contains(&self.txs)
    }

    fn fields(self) -> usize {
        TX_ROLLUP_HEADER + FIELDS_PER_TX * self.slots()
    }

    fn slots(self) -> usize {
        self.txs.next_power_of_two() as usize
    }

    /// Checks the range of bridge call datas, the inputs hash, and three facts that
    /// the whole circuit publishes as constants and a chain does not publish: the
    /// number of slots, equal roots of data roots, a zero old defi root.
    fn check_words(self, fields: &[Fr]) -> Result<(), PublishedError> {
        let (slots, roots_root) = (self.slots() as u64, fields[place::OLD_DATA_ROOTS_ROOT]);
        for (at, value) in [
            (place::SLOTS, Fr::from(slots)),
            (place::NEW_DATA_ROOTS_ROOT, roots_root),
            (place::OLD_DEFI_ROOT, Fr::default()),
        ] {
            if fields[at] != value {
                return Err(PublishedError::Fixed(at));
            }
        }
        check_tx_words(fields, &fields[place::TXS..])
    }

    fn violations(self, suite: Suite, w: &TxRollupWitness) -> Vec<Violation> {
        evaluate(self, suite, w).1
    }

    fn enforce(self, b: &mut Builder, suite: Suite, w: &TxRollupWitness) {
        enforce(b, suite, self, (w, w.txs.len()));
    }
}

/// Checks every rule of an inner rollup of up to `txs` txs; returns its
/// published fields and client digests.
pub fn check(suite: Suite, txs: u32, w: &TxRollupWitness) -> Result<Published, StatementError> {
    let (published, broken) = evaluate(TxRollup { txs }, suite, w);
    definition::demand_none(&broken)?;
    Ok(published)
}

/// Enforces every rule and publishes the statement; the first `real` slots are
/// marked as txs.
///
/// The verifier of the published fields, not the circuit, checks `inputs_hash`
/// and the 250-bit range of bridge call datas.
pub(super) fn enforce(
    b: &mut Builder,
    suite: Suite,
    size: TxRollup,
    (w, real): (&TxRollupWitness, usize),
) {
    let slots = size.slots();
    let mut rollup = SharedRows::open(b, suite, w);
    let new_data_root = b.alloc(w.new_data_root);
    let old_null_root = b.alloc(w.old_null_root);
    rollup.null_root = Some(old_null_root.clone());
    let last = w.txs.last().map(|tx| tx.nullifiers[1].new_root);
    let padding = TxWitness::padding(last.unwrap_or(w.old_null_root));
    let (mut txs, mut clients): (Vec<Num>, Vec<Num>) = (Vec::new(), Vec::new());
    for at in 0..size.txs as usize {
        let tx = w.txs.get(at).unwrap_or(&padding);
        let slot = rollup.slot(b, at, tx, at < real);
        txs.extend(slot.fields);
        clients.push(slot.client);
    }
    txs.resize_with(FIELDS_PER_TX * slots, Num::zero);
    clients.resize_with(slots, Num::zero);
    let notes = txs.chunks(FIELDS_PER_TX).flat_map(|f| &f[1..3]);
    let notes: Vec<Num> = notes.cloned().collect();
    let roots = (&rollup.old_data_root, &new_data_root);
    let start = b.part("data tree", |b| insert_notes(b, suite, w, &notes, roots));
    let new_null_root = rollup.null_root.unwrap_or_else(|| old_null_root.clone());
    let mut fields = vec![
        rollup.rollup_id.num,
        Num::constant(Fr::from(slots as u64)),
        start,
        rollup.old_data_root,
        new_data_root,
        old_null_root,
        new_null_root,
        rollup.data_roots_root.clone(),
        rollup.data_roots_root,
        Num::zero(),
        rollup.new_defi_root,
    ];
    let MatchedLists { bridges, assets } = rollup.lists;
    fields.extend([bridges.known, bridges.sums, assets.known, assets.sums].concat());
    // The inputs hash has its field, but is not part of the public input.
    fields.push(Num::zero());
    fields.extend(txs);
    fields.extend(clients);
    publish::<TxRollup>(b, fields);
}
