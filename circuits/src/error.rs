//! Why a request is not a statement.

use thiserror::Error;

/// One rule of the protocol, as the words for breaking it.
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
    #[error("padding path does not lead to an empty leaf of the last nullifier root")]
    PaddingPath,
}

/// A request that is no valid statement.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StatementError {
    /// A rule is broken, by one tx or by the request as a whole.
    #[error("{}{rule}", tx.map(|tx| format!("tx {tx}: ")).unwrap_or_default())]
    Broken {
        /// The rule.
        rule: Rule,
        /// Which tx breaks it.
        tx: Option<usize>,
    },
    /// A rule of a root rollup is broken by one of its inner rollups.
    #[error("inner rollup {at}: {rule}")]
    BrokenInner {
        /// Which inner rollup.
        at: usize,
        /// The rule.
        rule: Rule,
    },
    /// An inner rollup's published words cannot be those of a valid one.
    #[error("inner rollup {at}: {problem}")]
    Inner {
        /// Which inner rollup.
        at: usize,
        /// What is wrong with its words.
        problem: String,
    },
    /// A word is not below the field's modulus.
    #[error("{0} is not a canonical field element")]
    NotCanonical(String),
    /// A list or path has the wrong length for its statement.
    #[error("{what} has length {got}, expected {expected}")]
    Length {
        /// The list.
        what: &'static str,
        /// Its length.
        got: usize,
        /// The length it must have.
        expected: usize,
    },
    /// The request is of another kind than the circuit.
    #[error("the request is not a {0} request")]
    Kind(&'static str),
}

impl From<Rule> for StatementError {
    fn from(rule: Rule) -> Self {
        Self::Broken { rule, tx: None }
    }
}

/// Demands a length.
pub(crate) fn expect_length(
    what: &'static str,
    got: usize,
    expected: usize,
) -> Result<(), StatementError> {
    if got == expected {
        Ok(())
    } else {
        Err(StatementError::Length {
            what,
            got,
            expected,
        })
    }
}
