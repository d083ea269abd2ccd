//! The circuits that prove an inner rollup, and real rollups cut accordingly.

use super::chain::Cut;
use super::support::vectors;
use crate::tx_rollup::TxRollupWitness;
use crate::{Circuit, Plan, Suite};

/// Asserts that the plan has these circuits, by name.
#[track_caller]
fn check(suite: Suite, txs: u32, limit: u64, expect: &str) {
    let circuits = Plan::of(suite, txs, limit).unwrap().circuits();
    let names: Vec<String> = circuits.iter().map(Circuit::to_string).collect();
    assert_eq!(names.join(" "), expect);
    assert!(circuits.iter().all(|circuit| circuit.domain() <= limit));
}

#[test]
fn what_fits_one_circuit_is_not_cut() {
    check(Suite::Poseidon, 1, 1 << 18, "tx-rollup/poseidon/1");
    check(Suite::Pedersen, 1, 1 << 21, "tx-rollup/pedersen/1");
    check(Suite::Poseidon, 28, 1 << 23, "tx-rollup/poseidon/28");
    check(Suite::Pedersen, 28, 1 << 26, "tx-rollup/pedersen/28");
}

#[test]
fn pieces_are_the_largest_that_fit() {
    let names = "tx-segment/poseidon/2/5 tx-notes/poseidon/8";
    check(Suite::Poseidon, 5, 1 << 19, names);
    let names = "tx-segment/poseidon/1/5 tx-notes/poseidon/8";
    check(Suite::Poseidon, 5, 1 << 18, names);
    let names = "tx-segment/pedersen/12/28 tx-nullifiers/pedersen/1 tx-notes/pedersen/32";
    check(Suite::Pedersen, 28, 1 << 20, names);
    let names = "tx-segment/pedersen/28/28 tx-nullifiers/pedersen/11 tx-notes/pedersen/32";
    check(Suite::Pedersen, 28, 1 << 23, names);
    // The next larger piece exceeds the limit.
    let larger: Circuit = "tx-segment/poseidon/3/5".parse().unwrap();
    assert!(larger.domain() > 1 << 19);
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

/// Cuts a real request.
fn cut(name: &str, txs: u32, limit: u64) -> Cut {
    let request = vectors::tx_rollup(&format!("{name}_request.bin"));
    let witness = TxRollupWitness::new(&request, txs).unwrap();
    let Plan::Chain(chain) = Plan::of(Suite::Pedersen, txs, limit).unwrap() else {
        panic!("{name} is not cut");
    };
    Cut::of(Suite::Pedersen, txs, witness, chain)
}

#[test]
fn real_rollups_as_chains_publish_what_the_original_published() {
    for (name, txs) in vectors::TX_ROLLUPS {
        let cut = cut(name, txs, 1 << 20);
        let count = 108 + 8 * txs.next_power_of_two() as usize;
        let reply = vectors::reply(&format!("{name}_reply.bin"), count);
        assert_eq!(cut.published.fields(), reply, "{name}");
        cut.holds();
    }
}

/// 28 txs in three segments; only the first and the last of the 56 shards are checked.
#[test]
fn the_large_request_as_a_chain() {
    let cut = cut("valid_28x2_0_tx_rollup", 28, 1 << 20);
    cut.hold(|at, all| {
        assert_eq!(all, 3 + 56 + 1);
        at < 4 || at + 2 >= all
    });
}
