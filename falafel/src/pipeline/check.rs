//! What a reply must be.

use std::fmt::Debug;

use bytes::Bytes;
use zkwhirl_job::{
    Kind, Request, Sizes, Word,
    reply::{self, ReplyShape},
};

use crate::world::Broadcast;

/// Verifies the proof behind a reply's published fields.
///
/// The world checks the fields itself, from its own state; whoever wires the
/// simulated Falafel supplies the part that needs verification keys. It runs
/// on a blocking thread.
pub trait ReplyCheck: Debug + Send + Sync {
    /// `Err` says why the reply is no proof of the request's statement.
    fn check(&self, request: &Request, reply: &Bytes) -> Result<(), String>;
}

/// Verifies the final buffer of a rollup, as whoever reads it from the chain
/// would: with the buffer and the verification keys, without any request.
///
/// It runs on a blocking thread, after the world has found every word of the
/// broadcast data, which starts the buffer, to be its own.
pub trait FinalVerifier: Debug + Send + Sync {
    /// How many proofs were verified. `Err` says why the buffer does not prove
    /// its broadcast data.
    fn verify(&self, buffer: &Bytes) -> Result<usize, String>;
}

/// Looks at no proof: for replies of the mock prover.
#[derive(Debug, Clone, Copy, Default)]
pub struct FieldsOnly;

impl ReplyCheck for FieldsOnly {
    fn check(&self, _: &Request, _: &Bytes) -> Result<(), String> {
        Ok(())
    }
}

impl FinalVerifier for FieldsOnly {
    fn verify(&self, _: &Bytes) -> Result<usize, String> {
        Ok(0)
    }
}

/// What the world's own state demands of a reply.
#[derive(Debug, Clone)]
pub(super) enum Must {
    /// The length of a verification key.
    Key(Kind),
    /// Published fields.
    Fields(Vec<Word>),
    /// The broadcast data of the rollup.
    Broadcast(Broadcast),
}

impl Must {
    pub(super) fn check(&self, reply: &Bytes) -> Result<(), String> {
        match self {
            Self::Key(kind) => {
                // Any sizes do: a key's length depends on none.
                let sizes = Sizes::new(1, 1).expect("one is within every limit");
                let shape = ReplyShape::of(*kind, sizes);
                shape.check(*kind, reply).map_err(|e| e.to_string())
            }
            Self::Fields(must) => published(reply, must),
            Self::Broadcast(must) => must.check(reply).map(drop).map_err(|e| e.to_string()),
        }
    }
}

fn published(reply: &Bytes, must: &[Word]) -> Result<(), String> {
    let Some(fields) = reply::fields(reply, must.len()) else {
        let fewest = 32 * must.len();
        return Err(format!(
            "a reply of {} bytes is shorter than its {fewest} bytes of published fields",
            reply.len()
        ));
    };
    let wrong = fields.iter().zip(must).position(|(got, must)| got != must);
    match wrong {
        None => Ok(()),
        Some(place) => Err(format!(
            "published field {place} is {}, must be {}",
            fields[place], must[place]
        )),
    }
}
