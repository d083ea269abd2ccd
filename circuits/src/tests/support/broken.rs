//! Rollups that break one rule each.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::random;
use super::rows::Breaker;
use super::world::{BRIDGE, OLD_NOTES, TxPlan};
use crate::Rule::*;
use crate::Scope::{Tx, Whole};
use crate::field::power_of_two;
use crate::published::NO_ASSET;

/// Changes that break one rule before the trees are built.
pub(crate) const PLANS: [Breaker<TxPlan>; 30] = [
    // No client statement has these proof ids, so no client proof would cover the tx.
    (Tx(1), ProofId, |p| p.txs[1][0] = Fr::ZERO),
    (Tx(1), ProofId, |p| p.txs[1][0] = Fr::from(7u64)),
    (Tx(1), ProofId, |p| p.txs[1][0] += power_of_two(64)),
    (Tx(1), Range("tx fee"), |p| p.txs[1][9] = power_of_two(242)),
    (Tx(0), Range("defi deposit value"), |p| {
        p.txs[0][12] = power_of_two(242)
    }),
    (Tx(1), Range("bridge call data"), |p| {
        p.txs[1][11] = power_of_two(250)
    }),
    (Whole, Range("rollup id"), |p| {
        p.rollup_id = power_of_two(32)
    }),
    (Whole, Range("data start index"), |p| {
        p.start += power_of_two(32)
    }),
    (Whole, Alignment, |p| p.start += Fr::ONE),
    (Whole, Alignment, |p| p.start += Fr::from(2u64)),
    (Whole, Bridges, |p| p.bridges[0] = Fr::ZERO),
    (Whole, Assets, |p| p.assets[0] = Fr::from(NO_ASSET)),
    (Tx(0), DepositBridge, |p| p.txs[0][11] = Fr::from(9u64)),
    (Tx(0), DepositBridge, |p| p.txs[0][11] = Fr::ZERO),
    (Tx(0), DepositBridge, |p| p.bridges[2] = Fr::from(BRIDGE)),
    (Tx(0), DepositBridge, |p| {
        // One filler remains, which a zero would match.
        p.bridges = (1..32u64).map(Fr::from).collect();
        p.txs[0][11] = Fr::ZERO;
    }),
    (Tx(1), DefiRoot, |p| p.txs[1][13] += Fr::ONE),
    (Tx(1), ChainNotAllowed, |p| p.txs[0][15] = Fr::ZERO),
    (Tx(1), ChainNotAllowed, |p| p.txs[0][15] = Fr::ONE),
    (Tx(1), ChainNotAllowed, |p| {
        p.txs[0][15] = Fr::from(2u64);
        // Two txs create the same note: the first output counts.
        p.txs[0][0] = Fr::ONE;
        p.txs[0][1] = p.txs[0][2];
    }),
    (Tx(0), LinkedCommitment, |p| p.places[0].0 = Fr::from(5u64)),
    (Tx(0), LinkedCommitment, |p| p.txs[0][14] = random(999)),
    (Tx(0), Range("linked commitment index"), |p| {
        p.places[0].0 += power_of_two(32)
    }),
    (Tx(1), Range("data roots index"), |p| {
        p.txs[1][8] = p.witness().old_data_root;
        p.places[1].1 += power_of_two(28);
    }),
    (Tx(1), DataRootZero, |p| p.places[1].1 = Fr::from(9u64)),
    (Tx(1), DataRoot, |p| p.txs[1][8] = random(998)),
    (Tx(1), FeeAsset, |p| {
        p.assets = vec![Fr::ONE, Fr::ONE];
        p.txs[0][10] = Fr::ZERO;
    }),
    (Whole, OldDataRoot, |p| p.start = Fr::from(OLD_NOTES - 4)),
    (Tx(1), OldNullRoot(1), |p| p.txs[1][3] = random(902)),
    (Tx(1), OldNullRoot(2), |p| p.txs[1][4] = p.txs[0][3]),
];
