//! Proof requests: the data of a `create-proof` frame, which `rollup_cli` reads byte
//! for byte on its standard input.

mod claim;
mod framing;
mod notes;
mod parts;
mod root_rollup;
mod root_verifier;
mod tx_rollup;

use bytes::Bytes;

pub use claim::ClaimRequest;
pub use framing::needed_bytes;
pub use notes::{ClaimNote, DefiInteractionNote};
pub use parts::{
    CLIENT_PROOF_BYTES, ClientProof, DATA_TREE_DEPTH, DEFI_TREE_DEPTH, MerklePath,
    NATIVE_CLIENT_PROOF_BYTES, NULL_TREE_DEPTH, ROOTS_TREE_DEPTH, field,
};
pub use root_rollup::RootRollupRequest;
pub use root_verifier::RootVerifierRequest;
pub use tx_rollup::TxRollupRequest;

use crate::{Command, Kind, LayoutError, Sizes, limits, wire::Reader};

/// A parsed proof request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// An inner rollup of transactions.
    TxRollup(Box<TxRollupRequest>),
    /// The rollup of inner rollups.
    RootRollup(Box<RootRollupRequest>),
    /// The claim of a defi deposit.
    Claim(Box<ClaimRequest>),
    /// The verification of a root rollup.
    RootVerifier(Box<RootVerifierRequest>),
}

impl Request {
    /// Reads a request, which must fill the whole buffer.
    ///
    /// Checks that every count and length is within its limit before it is used, that
    /// depths are the protocol's, and that field elements are canonical.
    pub fn parse(data: &Bytes) -> Result<Self, LayoutError> {
        if data.len() > limits::REQUEST_BYTES {
            return Err(too_long(0, data.len()));
        }
        let mut reader = Reader::new(data);
        let (r, name) = (&mut reader, format_args!("proof id"));
        let id = r.u32(name)?;
        let request = match Kind::of_proof_id(id) {
            Some(Kind::TxRollup) => Self::TxRollup(Box::new(TxRollupRequest::read(r)?)),
            Some(Kind::RootRollup) => Self::RootRollup(Box::new(RootRollupRequest::read(r)?)),
            Some(Kind::Claim) => Self::Claim(Box::new(ClaimRequest::read(r)?)),
            Some(Kind::RootVerifier) => Self::RootVerifier(Box::new(RootVerifierRequest::read(r)?)),
            _ => {
                let must = "0 (tx rollup), 1 (root rollup), 2 (claim) or 3 (root verifier)";
                return Err(LayoutError::value(
                    0,
                    name,
                    id.into(),
                    format_args!("{must}"),
                ));
            }
        };
        reader.end(format_args!("{} request", request.kind()))?;
        Ok(request)
    }

    /// The bytes on the wire, the leading proof id included.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::TxRollup(request) => request.to_bytes(),
            Self::RootRollup(request) => request.to_bytes(),
            Self::Claim(request) => request.to_bytes(),
            Self::RootVerifier(request) => request.to_bytes(),
        }
    }

    /// The kind of job that this request is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::TxRollup(_) => Kind::TxRollup,
            Self::RootRollup(_) => Kind::RootRollup,
            Self::Claim(_) => Kind::Claim,
            Self::RootVerifier(_) => Kind::RootVerifier,
        }
    }

    /// The id of the rollup that this request belongs to, if the layout has one.
    pub fn rollup_id(&self) -> Option<u32> {
        match self {
            Self::TxRollup(request) => Some(request.rollup_id),
            Self::RootRollup(request) => Some(request.rollup_id),
            Self::Claim(_) => None,
            Self::RootVerifier(request) => request.rollup_id(),
        }
    }

    /// Checks the request against the configured sizes. Errors: more transactions or
    /// inner rollups than fit, missing or surplus padding paths, a broadcast buffer of
    /// another size.
    pub fn validate(&self, sizes: Sizes) -> Result<(), LayoutError> {
        match self {
            Self::TxRollup(request) => request.validate(sizes),
            Self::RootRollup(request) => request.validate(sizes),
            Self::Claim(_) => Ok(()),
            Self::RootVerifier(request) => request.validate(sizes),
        }
    }
}

/// Returns the kind of a frame's job, from the command and the first word of the data.
/// `None`: no kind has this command or proof id.
pub fn identify(command: u32, data: &[u8]) -> Option<Kind> {
    match Command::from_code(command)? {
        Command::GetJoinSplitVk => Some(Kind::JoinSplitVk),
        Command::GetAccountVk => Some(Kind::AccountVk),
        Command::CreateProof => {
            let id = data.first_chunk().map(|id| u32::from_be_bytes(*id));
            Kind::of_proof_id(id?)
        }
        Command::RequestWork | Command::NoWork | Command::Ack | Command::Nack => None,
    }
}

/// The error of a request of `bytes` bytes, found at byte `at`.
fn too_long(at: usize, bytes: usize) -> LayoutError {
    let must = format_args!("at most {} bytes", limits::REQUEST_BYTES);
    let name = format_args!("the request's length");
    LayoutError::value(at, name, bytes as u64, must)
}
