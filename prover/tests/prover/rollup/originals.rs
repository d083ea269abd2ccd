//! Tests with requests of the original Aztec Connect: their native proofs publish
//! the same values as the original code.

use zkwhirl_circuits::Suite;
use zkwhirl_job::{Request, Sizes, reply::broadcast_bytes};
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::native::{NativeVerifier, Setting};

use super::proved::{engine, keys, verification};
use crate::vector;

/// The limit of circuits for one nullifier per proof, which are made in a minute.
const LIMIT: u64 = 1 << 20;

/// Proves the inner rollups, then the root rollup over these proofs, then the root
/// verifier's request.
fn rolled_up(sizes: Sizes, inners: &[&str], root: &str) {
    let setting = Setting::new(Suite::Pedersen, sizes, LIMIT);
    let mut engine = engine(setting.clone());
    let verifier = NativeVerifier::new(setting, EmbeddedKeyStore::new(&keys()));
    let mut prove = |request: &Request| {
        let reply = engine.prove(request, &|_| {}).unwrap().reply;
        verifier.verify(request, &reply).unwrap();
        reply
    };
    let inner_proofs = inners.iter().map(|inner| {
        let reply = prove(&Request::parse(&vector(&format!("{inner}_request"))).unwrap());
        let fields = 32 * (108 + 8 * sizes.slots() as usize);
        assert!(
            reply[..fields] == vector(&format!("{inner}_reply"))[..fields],
            "{inner}"
        );
        reply
    });
    let inner_proofs = inner_proofs.collect();
    let Request::RootRollup(mut request) =
        Request::parse(&vector(&format!("{root}_request"))).unwrap()
    else {
        unreachable!("a root rollup");
    };
    request.inner_proofs = inner_proofs;
    let reply = prove(&Request::RootRollup(request));
    let broadcast = broadcast_bytes(sizes);
    let original = vector(&format!("{root}_reply"));
    assert!(reply[..broadcast] == original[..broadcast], "{root}");
    let buffer = prove(&verification(&reply));
    let rollup = verifier.verify_rollup(&buffer).unwrap();
    assert_eq!(rollup.inners, inners.len());
    // The clients of this rollup have PLONK proofs.
    assert!(rollup.txs.values().all(|txs| txs.covered == 0));
}

#[test]
#[ignore = "minutes of work, and keys of 2^20 rows: run it when a circuit changes"]
fn a_real_rollup_of_one_tx() {
    let sizes = Sizes::new(1, 1).unwrap();
    let root = "valid_1x1_1_root_rollup";
    rolled_up(sizes, &["valid_1x1_0_tx_rollup"], root);
}

#[test]
#[ignore = "minutes of work, and keys of 2^20 rows: run it when a circuit changes"]
fn a_real_rollup_of_two_by_two() {
    let sizes = Sizes::new(2, 2).unwrap();
    let inners = ["valid_2x2_0_tx_rollup", "valid_2x2_1_tx_rollup"];
    rolled_up(sizes, &inners, "valid_2x2_2_root_rollup");
}
