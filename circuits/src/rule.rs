//! The rules of the protocol, and which of them a witness breaks.

use std::fmt;

use ark_bn254::Fr;
use thiserror::Error;

use crate::field::fits;

/// One rule of the protocol. The message says what is wrong when it is broken.
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
    #[error("{0} must be given by deposits and withdrawals, and by no other tx")]
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
    #[error("{0} must be given by defi deposits, and by no other tx")]
    DepositOnly(&'static str),
    #[error("bridge call data uses a second input asset, which no tx of one asset can pay")]
    TwoInputs,
    #[error("bridge call data's input asset is not the tx's")]
    BridgeAsset,
    #[error("values that go in and out differ")]
    Balance,
    #[error("backward link is neither zero nor an input note that is used")]
    BackwardLink,
    #[error("output note {0} allows chaining but belongs to another account")]
    ChainOwner(u8),
    #[error("the claim note of a defi deposit allows chaining")]
    ChainClaim,
    #[error("number of txs does not fit the circuit")]
    TxCount,
    #[error("proof id is not one of a tx: 1 to 6")]
    ProofId,
    #[error("data start index is not aligned to the inserted subtree")]
    Alignment,
    #[error("bridge call datas are not non-zero values followed by zeros")]
    Bridges,
    #[error("asset ids are not values other than 2^30 followed by 2^30")]
    Assets,
    #[error("defi deposit does not match exactly one bridge call data")]
    DepositBridge,
    #[error("claim's defi root is not the rollup's")]
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
    #[error("place in the data tree is not empty under the old data root")]
    OldDataRoot,
    #[error("inserting the notes does not give the new data root")]
    NewDataRoot,
    #[error("nullifier {0} was already in the tree of the root before it")]
    OldNullRoot(u8),
    #[error("nullifier {0} does not give the nullifier root after it")]
    NewNullRoot(u8),
    #[error("nullifier {0} has a neighbour that agrees in its upper bits")]
    NullifierNeighbour(u8),
    #[error("number of inner rollups does not fit the circuit")]
    InnerCount,
    #[error("inner rollup is of another size")]
    InnerSlots,
    #[error("rollup id is not the root rollup's")]
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
    #[error("place of the data root is not empty under the old data roots root")]
    OldDataRootsRoot,
    #[error("inserting the data root does not give the new data roots root")]
    NewDataRootsRoot,
    #[error("place of the interaction notes is not empty under the old defi root")]
    OldDefiRoot,
    #[error("inserting the interaction notes does not give the new defi root")]
    NewDefiRoot,
}

/// A broken rule, and what breaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{scope}{rule}")]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What breaks it.
    pub scope: Scope,
}

/// The part of a statement that breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The statement as a whole.
    Whole,
    /// A tx of an inner rollup, counted from 0.
    Tx(usize),
    /// An inner rollup of a root rollup, counted from 0.
    Inner(usize),
}

/// Collects the rules that a witness breaks, in the order of the demands.
#[derive(Default)]
pub(crate) struct Violations(pub(crate) Vec<Violation>);

impl Violations {
    /// Demands a rule of the statement as a whole.
    pub(crate) fn demand(&mut self, holds: bool, rule: Rule) {
        self.demand_of(Scope::Whole, holds, rule);
    }

    /// Demands a rule of a part of the statement.
    pub(crate) fn demand_of(&mut self, scope: Scope, holds: bool, rule: Rule) {
        if !holds {
            self.0.push(Violation { rule, scope });
        }
    }

    /// Demands that named values fit so many bits.
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
