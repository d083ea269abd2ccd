//! A padding slot that is not zero. No witness type can hold such values.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use crate::proof_id;
use crate::r1cs::{Builder, Mode};
use crate::statement::tx_rollup::circuit::enforce;
use crate::suite::Suite;
use crate::tx_rollup::{TxRollup, TxRollupWitness, TxWitness};

fn failing_parts(fields: [Fr; 16], real: usize) -> Vec<&'static str> {
    let mut w = TxRollupWitness::default();
    let padding = TxWitness::padding(Fr::ZERO);
    let mut first = padding.clone();
    first.fields[0] = Fr::from(proof_id::SEND);
    w.txs = vec![first, TxWitness { fields, ..padding }];
    let mut b = Builder::new(Mode::Check);
    enforce(&mut b, Suite::Poseidon, TxRollup { txs: 2 }, (&w, real));
    b.unsatisfied().iter().map(|row| row.part).collect()
}

#[test]
fn a_padding_slot_has_no_fields() {
    let blank = failing_parts([Fr::ZERO; 16], 1);
    assert!(!blank.contains(&"tx fields"));
    // A commitment would enter the data tree; fields from 8 on would enter the rules.
    for at in [1, 3, 8] {
        let mut fields = [Fr::ZERO; 16];
        fields[at] = Fr::from(7u64);
        assert!(
            failing_parts(fields, 1).contains(&"tx fields"),
            "field {at}"
        );
    }
    assert!(!failing_parts([Fr::from(proof_id::SEND); 16], 2).contains(&"tx fields"));
}
