//! The rules of the protocol, and the rules that a witness breaks.

use std::fmt;

use ark_bn254::Fr;
use thiserror::Error;

use crate::field::fits;

/// One rule of the protocol. Its message says how the rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[expect(missing_docs, reason = "the messages say what each rule is")]
pub enum Rule {
    #[error("{0} is out of range")]
    Range(&'static str),
    #[error("bridge call data has bits outside its fields")]
    BridgeBits,
    #[error("bridge call data has a second input asset but does not use it")]
    SecondInputUnused,
    #[error("bridge call data has a second output asset but does not use it")]
    SecondOutputUnused,
    #[error("bridge call data has two equal input assets")]
    EqualInputs,
    #[error("bridge call data has two equal real output assets")]
    EqualOutputs,
    #[error("a virtual output asset is not the placeholder 2^29")]
    VirtualOutput,
    #[error("deposit is zero")]
    DepositZero,
    #[error("deposit is above the interaction's total input")]
    DepositAboveTotal,
    #[error("output value {0} is not the deposit's share of the total")]
    Share(char),
    #[error("claim note and interaction note differ in bridge call data")]
    BridgeMismatch,
    #[error("claim note and interaction note differ in nonce")]
    NonceMismatch,
    #[error("claim note is not a leaf of the data root")]
    ClaimNote,
    #[error("interaction note is not a leaf of the defi root")]
    DefiNote,
    #[error("proof id is not one of deposit, withdraw, send and defi deposit")]
    PaymentKind,
    #[error("{0} is missing in a deposit or withdrawal, or present in another tx")]
    PublicOnly(&'static str),
    #[error("a virtual asset is deposited or withdrawn")]
    PublicVirtual,
    #[error("input note 2 is used without input note 1")]
    InputOrder,
    #[error("no input note is used, and the tx is not a deposit")]
    NoInput,
    #[error("input note {0} is not used but has a value")]
    UnusedValue(u8),
    #[error("input note {0} is not a leaf of the data root")]
    InputNote(u8),
    #[error("account private key is not below the order of the curve")]
    PrivateKey,
    #[error("signing key is not a point of the curve")]
    SigningKeyCurve,
    #[error("signing key is not the account key, and no account note is required")]
    SigningKey,
    #[error("a new account is not signed by its own key")]
    FirstSigner,
    #[error("account note is not a leaf of the data root")]
    AccountNote,
    #[error("signature does not hold under the signing key")]
    Signature,
    #[error("creator of output note {0} is neither zero nor the account key")]
    Creator(u8),
    #[error("output note 1 of a defi deposit has a value")]
    ClaimValue,
    #[error("{0} is missing in a defi deposit, or present in another tx")]
    DepositOnly(&'static str),
    #[error("bridge call data uses a second input asset, but a tx has only one")]
    TwoInputs,
    #[error("bridge call data's input asset is not the tx's asset")]
    BridgeAsset,
    #[error("input and output values do not balance")]
    Balance,
    #[error("backward link is neither zero nor an input note that is used")]
    BackwardLink,
    #[error("output note {0} allows chaining but belongs to another account")]
    ChainOwner(u8),
    #[error("the claim note of a defi deposit allows chaining")]
    ChainClaim,
    #[error("number of txs is zero or exceeds the circuit's size")]
    TxCount,
    #[error("proof id is not 1 to 6")]
    ProofId,
    #[error("data start index is not aligned to the inserted subtree")]
    Alignment,
    #[error("bridge call datas must be non-zero values, then only zeros")]
    Bridges,
    #[error("asset ids must be values other than 2^30, then only 2^30")]
    Assets,
    #[error("defi deposit does not match exactly one bridge call data")]
    DepositBridge,
    #[error("claim's defi root is not the rollup's defi root")]
    DefiRoot,
    #[error("linked commitment is not a leaf of the old data root")]
    LinkedCommitment,
    #[error("chained output does not allow chaining")]
    ChainNotAllowed,
    #[error("data root is zero")]
    DataRootZero,
    #[error("data root is not a leaf of data_roots_root")]
    DataRoot,
    #[error("fee asset matches several asset ids")]
    FeeAsset,
    #[error("data tree is not empty at the rollup's index under the old data root")]
    OldDataRoot,
    #[error("inserting the notes does not give the new data root")]
    NewDataRoot,
    #[error("nullifier {0} is already in the nullifier tree, or its path is wrong")]
    OldNullRoot(u8),
    #[error("inserting nullifier {0} does not give the new nullifier root")]
    NewNullRoot(u8),
    #[error("nullifier {0} has the same upper bits as an older nullifier")]
    NullifierNeighbour(u8),
    #[error("number of inner rollups does not fit the circuit")]
    InnerCount,
    #[error("inner rollup has another size than the circuit")]
    InnerSlots,
    #[error("rollup id is not the root rollup's id")]
    InnerRollupId,
    #[error("data roots root is not the root rollup's old one")]
    InnerDataRootsRoot,
    #[error("defi root is not the root rollup's new one")]
    InnerDefiRoot,
    #[error("data start index does not follow the inner rollup before")]
    InnerDataStart,
    #[error("old data root is not the new one of the inner rollup before")]
    InnerDataRoot,
    #[error("old nullifier root is not the new one of the inner rollup before")]
    InnerNullRoot,
    #[error("bridge call data {0} does not match exactly one of the root rollup's")]
    InnerBridge(u8),
    #[error("asset id {0} does not match exactly one of the root rollup's")]
    InnerAsset(u8),
    #[error("number of interaction notes does not fit the circuit")]
    InteractionCount,
    #[error("data roots tree is not empty at the rollup's index under its old root")]
    OldDataRootsRoot,
    #[error("inserting the data root does not give the new data roots root")]
    NewDataRootsRoot,
    #[error("defi tree is not empty at the rollup's index under its old root")]
    OldDefiRoot,
    #[error("inserting the interaction notes does not give the new defi root")]
    NewDefiRoot,
}

/// A broken rule, and the part of the statement that breaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{scope}{rule}")]
pub struct Violation {
    /// The broken rule.
    pub rule: Rule,
    /// The part of the statement that breaks the rule.
    pub scope: Scope,
}

/// The part of a statement that breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The statement as a whole.
    Whole,
    /// The tx with this index in its inner rollup, from 0.
    Tx(usize),
    /// The inner rollup with this index in its root rollup, from 0.
    Inner(usize),
}

/// Collects the rules that a witness breaks, in the order of the checks.
#[derive(Default)]
pub(crate) struct Violations(pub(crate) Vec<Violation>);

impl Violations {
    /// Records `rule` of the statement as a whole as broken unless `holds`.
    pub(crate) fn demand(&mut self, holds: bool, rule: Rule) {
        self.demand_of(Scope::Whole, holds, rule);
    }

    /// Records `rule` of a part of the statement as broken unless `holds`.
    pub(crate) fn demand_of(&mut self, scope: Scope, holds: bool, rule: Rule) {
        if !holds {
            self.0.push(Violation { rule, scope });
        }
    }

    /// Records each named value that does not fit its number of bits.
    pub(crate) fn demand_ranges<const N: usize>(
        &mut self,
        scope: Scope,
        ranges: [(&Fr, usize, &'static str); N],
    ) {
        for (value, bits, name) in ranges {
            self.demand_of(scope, fits(value, bits), Rule::Range(name));
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Tx(tx) => write!(f, "tx {tx}: "),
            Self::Inner(at) => write!(f, "inner rollup {at}: "),
        }
    }
}

impl From<Rule> for Violation {
    fn from(rule: Rule) -> Self {
        let scope = Scope::Whole;
        Self { rule, scope }
    }
}
