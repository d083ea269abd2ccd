//! Which circuits prove an inner rollup, and real rollups cut that way.

use std::sync::Arc;

use super::support::vectors;
use crate::published::Published;
use crate::tx_rollup::{self, TxRollupWitness};
use crate::{Chain, Circuit, Plan, Suite};

/// The circuits of a plan, by name.
#[track_caller]
fn check(suite: Suite, txs: u32, limit: u64, expect: &[&str]) -> Plan {
    let plan = Plan::of(suite, txs, limit).unwrap();
    let circuits: Vec<String> = plan.circuits().iter().map(Circuit::to_string).collect();
    assert_eq!(circuits, expect);
    assert!(
        plan.circuits()
            .iter()
            .all(|circuit| circuit.domain() <= limit)
    );
    plan
}

#[test]
fn what_fits_one_circuit_is_not_cut() {
    check(Suite::Poseidon, 1, 1 << 18, &["tx-rollup/poseidon/1"]);
    check(Suite::Pedersen, 1, 1 << 21, &["tx-rollup/pedersen/1"]);
    check(Suite::Poseidon, 28, 1 << 23, &["tx-rollup/poseidon/28"]);
    check(Suite::Pedersen, 28, 1 << 26, &["tx-rollup/pedersen/28"]);
}

#[test]
fn pieces_are_the_largest_that_fit() {
    let names = ["tx-segment/poseidon/2/5", "tx-notes/poseidon/8"];
    check(Suite::Poseidon, 5, 1 << 19, &names);
    let names = ["tx-segment/poseidon/1/5", "tx-notes/poseidon/8"];
    check(Suite::Poseidon, 5, 1 << 18, &names);
    let names = [
        "tx-segment/pedersen/12/28",
        "tx-nullifiers/pedersen/1",
        "tx-notes/pedersen/32",
    ];
    check(Suite::Pedersen, 28, 1 << 20, &names);
    let names = [
        "tx-segment/pedersen/28/28",
        "tx-nullifiers/pedersen/11",
        "tx-notes/pedersen/32",
    ];
    check(Suite::Pedersen, 28, 1 << 23, &names);
    // The next larger piece would not fit.
    for name in ["tx-segment/poseidon/3/5", "tx-segment/poseidon/2/5"] {
        let circuit: Circuit = name.parse().unwrap();
        let fits = circuit.domain() <= 1 << 19;
        assert_eq!(fits, name == "tx-segment/poseidon/2/5");
    }
}

#[test]
fn a_limit_below_every_cut_is_refused_with_the_least_that_would_do() {
    let error = Plan::of(Suite::Pedersen, 28, 1 << 19).unwrap_err();
    assert_eq!(
        error.to_string(),
        "circuit tx-nullifiers/pedersen/1 needs a domain of 1048576, \
         MAX_CIRCUIT_SIZE is 524288: raise it to 1048576 or more"
    );
    Plan::of(Suite::Pedersen, 28, error.needs).unwrap();
    let error = Plan::of(Suite::Poseidon, 3, 1).unwrap_err();
    assert_eq!(error.circuit.to_string(), "tx-segment/poseidon/1/3");
    Plan::of(Suite::Poseidon, 3, error.needs).unwrap();
}

/// A real request, cut; gives the chain, the published fields and all values.
fn cut(name: &str, txs: u32, limit: u64) -> (Chain, Published, Arc<TxRollupWitness>) {
    let request = vectors::tx_rollup(&format!("{name}_request.bin"));
    let witness = Arc::new(TxRollupWitness::new(&request, txs).unwrap());
    let published = tx_rollup::check(Suite::Pedersen, txs, &witness).unwrap();
    let Plan::Chain(chain) = Plan::of(Suite::Pedersen, txs, limit).unwrap() else {
        panic!("{name} is not cut");
    };
    (chain, published, witness)
}

/// Checks the rows of some pieces against what a verifier computes from the
/// published fields.
fn check_pieces(
    (chain, published, witness): &(Chain, Published, Arc<TxRollupWitness>),
    wanted: impl Fn(usize, usize) -> bool,
) {
    let allow_chain: Vec<_> = witness.txs.iter().map(|tx| tx.fields[15]).collect();
    let (pieces, seams) = chain.cut(witness);
    let inputs = chain
        .public_inputs(published, &allow_chain, &seams)
        .unwrap();
    let named = chain.pieces(allow_chain.len());
    assert_eq!(named.len(), pieces.len());
    for (at, ((named, piece), expected)) in named.iter().zip(&pieces).zip(inputs).enumerate() {
        if wanted(at, pieces.len()) {
            let report = named.circuit.check_raw(piece).unwrap();
            assert_eq!(report.public_input, expected, "{}", named.name);
        }
    }
}

#[test]
fn real_rollups_as_chains_publish_what_the_original_published() {
    for (name, txs) in vectors::TX_ROLLUPS {
        let cut = cut(name, txs, 1 << 20);
        let count = 108 + 8 * txs.next_power_of_two() as usize;
        let reply = vectors::reply(&format!("{name}_reply.bin"), count);
        assert_eq!(cut.1.fields(), reply, "{name}");
        check_pieces(&cut, |_, _| true);
    }
}

/// 28 txs in three segments; of the 56 shards the first and the last.
#[test]
fn the_large_request_as_a_chain() {
    let cut = cut("valid_28x2_0_tx_rollup", 28, 1 << 20);
    assert_eq!(cut.0.pieces(28).len(), 3 + 56 + 1);
    check_pieces(&cut, |at, all| at < 4 || at + 2 >= all);
}
