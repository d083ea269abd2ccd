//! Rollups that break one rule each.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::random;
use super::world::{BRIDGE, OLD_NOTES, TxPlan};
use crate::Rule;
use crate::field::power_of_two;
use crate::published::NO_ASSET;

/// The tx and the rule that are broken, the part of the circuit that notices, how.
pub(crate) type Breaker = (Option<usize>, Rule, &'static str, fn(&mut TxPlan));

/// Ways to break one rule before the trees are built.
pub(crate) const PLANS: [Breaker; 30] = [
    // No client statement has these, so no client proof would cover the tx.
    (Some(1), Rule::ProofId, "tx fields", |p| {
        p.txs[1][0] = Fr::ZERO
    }),
    (Some(1), Rule::ProofId, "tx fields", |p| {
        p.txs[1][0] = Fr::from(7u64)
    }),
    (Some(1), Rule::ProofId, "tx fields", |p| {
        p.txs[1][0] = Fr::from(3u64) + power_of_two(64)
    }),
    (Some(1), Rule::Range("tx fee"), "claim completion", |p| {
        p.txs[1][9] = power_of_two(242)
    }),
    (
        Some(0),
        Rule::Range("defi deposit value"),
        "claim completion",
        |p| {
            p.txs[0][12] = power_of_two(242);
        },
    ),
    (
        Some(1),
        Rule::Range("bridge call data"),
        "claim completion",
        |p| {
            p.txs[1][11] = power_of_two(250);
        },
    ),
    (None, Rule::Range("rollup id"), "header and lists", |p| {
        p.rollup_id = power_of_two(32)
    }),
    (None, Rule::Range("data start index"), "data tree", |p| {
        p.start += power_of_two(32)
    }),
    (None, Rule::Alignment, "data tree", |p| p.start += Fr::ONE),
    (None, Rule::Alignment, "data tree", |p| {
        p.start += Fr::from(2u64)
    }),
    (None, Rule::Bridges, "header and lists", |p| {
        p.bridges[0] = Fr::ZERO
    }),
    (None, Rule::Assets, "header and lists", |p| {
        p.assets[0] = Fr::from(NO_ASSET)
    }),
    (Some(0), Rule::DepositBridge, "claim completion", |p| {
        p.txs[0][11] = Fr::from(9u64)
    }),
    (Some(0), Rule::DepositBridge, "claim completion", |p| {
        p.txs[0][11] = Fr::ZERO
    }),
    (Some(0), Rule::DepositBridge, "claim completion", |p| {
        p.bridges[2] = Fr::from(BRIDGE)
    }),
    (Some(0), Rule::DepositBridge, "claim completion", |p| {
        // One filler is left, which a zero would match.
        p.bridges = (1..32u64).map(Fr::from).collect();
        p.txs[0][11] = Fr::ZERO;
    }),
    (Some(1), Rule::DefiRoot, "tx fields", |p| {
        p.txs[1][13] += Fr::ONE
    }),
    (Some(1), Rule::ChainNotAllowed, "chaining", |p| {
        p.txs[0][15] = Fr::ZERO
    }),
    (Some(1), Rule::ChainNotAllowed, "chaining", |p| {
        p.txs[0][15] = Fr::ONE
    }),
    (Some(1), Rule::ChainNotAllowed, "chaining", |p| {
        p.txs[0][15] = Fr::from(2u64);
        // The same note twice: the first output counts.
        p.txs[0][0] = Fr::ONE;
        p.txs[0][1] = p.txs[0][2];
    }),
    (
        Some(0),
        Rule::LinkedCommitment,
        "linked commitment membership",
        |p| {
            p.places[0].0 = Fr::from(5u64);
        },
    ),
    (
        Some(0),
        Rule::LinkedCommitment,
        "linked commitment membership",
        |p| {
            p.txs[0][14] = random(999);
        },
    ),
    (
        Some(0),
        Rule::Range("linked commitment index"),
        "linked commitment membership",
        |p| {
            p.places[0].0 += power_of_two(32);
        },
    ),
    (
        Some(1),
        Rule::Range("data roots index"),
        "data root membership",
        |p| {
            p.txs[1][8] = p.witness().old_data_root;
            p.places[1].1 += power_of_two(28);
        },
    ),
    (Some(1), Rule::DataRootZero, "data root membership", |p| {
        p.places[1].1 = Fr::from(9u64)
    }),
    (Some(1), Rule::DataRoot, "data root membership", |p| {
        p.txs[1][8] = random(998)
    }),
    (Some(1), Rule::FeeAsset, "fees", |p| {
        p.assets = vec![Fr::ONE, Fr::ONE];
        p.txs[0][10] = Fr::ZERO;
    }),
    (None, Rule::OldDataRoot, "data tree", |p| {
        p.start = Fr::from(OLD_NOTES - 4)
    }),
    (Some(1), Rule::OldNullRoot(1), "nullifier tree", |p| {
        p.txs[1][3] = random(902)
    }),
    (Some(1), Rule::OldNullRoot(2), "nullifier tree", |p| {
        p.txs[1][4] = p.txs[0][3]
    }),
];
