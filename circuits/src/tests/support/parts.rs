//! The part of a circuit that enforces each rule.

use crate::Rule::{self, *};
use crate::StatementKind;

/// Returns the part of a statement's circuit that enforces a rule.
pub(crate) fn part(statement: StatementKind, rule: Rule) -> &'static str {
    match statement {
        StatementKind::Claim => claim(rule),
        StatementKind::JoinSplit => join_split(rule),
        StatementKind::Account => account(rule),
        StatementKind::RootRollup { .. } => root_rollup(rule),
        _ => tx_rollup(rule),
    }
}

fn claim(rule: Rule) -> &'static str {
    match rule {
        Share(_) => "shares",
        Range("claim note index") | ClaimNote => "claim note membership",
        // One variable stands for both notes' bridge call data, and one for
        // both nonces: if they differ, only one note can be under its root.
        Range("interaction note index") | DefiNote | BridgeMismatch | NonceMismatch => {
            "interaction note membership"
        }
        DepositZero | DepositAboveTotal | Range(_) => "ranges",
        _ => "bridge call data",
    }
}

fn join_split(rule: Rule) -> &'static str {
    match rule {
        PaymentKind => "kind",
        Range("public value" | "public owner" | "deposit" | "fee")
        | PublicOnly(_)
        | PublicVirtual
        | DepositOnly("deposit value") => "public values",
        Range("asset") => "ranges",
        Range("input value 1" | "input value 2") | InputOrder | NoInput | UnusedValue(_) => {
            "input notes"
        }
        InputNote(_) | Range("input note index 1" | "input note index 2") => {
            "input note membership"
        }
        PrivateKey => "account key",
        SigningKey | SigningKeyCurve | AccountNote | Range("account note index") => {
            "account note membership"
        }
        Signature | Range("signature") => "signature",
        Creator(_)
        | ClaimValue
        | ChainClaim
        | ChainOwner(_)
        | Range("output value 1" | "output value 2") => "output notes",
        Balance => "balance",
        BackwardLink => "chaining",
        _ => "bridge call data",
    }
}

fn account(rule: Rule) -> &'static str {
    match rule {
        Range("alias hash") => "alias",
        Range("account note index") | AccountNote => "account note membership",
        FirstSigner | SigningKeyCurve => "signing key",
        _ => "signature",
    }
}

fn tx_rollup(rule: Rule) -> &'static str {
    match rule {
        ProofId | DefiRoot => "tx fields",
        Range("rollup id") | Bridges | Assets => "header and lists",
        Range("data start index") | Alignment | OldDataRoot | NewDataRoot => "data tree",
        ChainNotAllowed => "chaining",
        Range("linked commitment index") | LinkedCommitment => "linked commitment membership",
        Range("data roots index") | DataRootZero | DataRoot | TxCount => "data root membership",
        FeeAsset => "fees",
        OldNullRoot(_) | NewNullRoot(_) | NullifierNeighbour(_) => "nullifier tree",
        _ => "claim completion",
    }
}

fn root_rollup(rule: Rule) -> &'static str {
    match rule {
        Range("rollup id" | "rollup beneficiary") => "header",
        InnerBridge(_) | InnerAsset(_) => "bridges and fees",
        Range(_) => "interaction notes",
        OldDataRootsRoot | NewDataRootsRoot => "data roots tree",
        OldDefiRoot | NewDefiRoot => "defi tree",
        _ => "inner rollups",
    }
}
