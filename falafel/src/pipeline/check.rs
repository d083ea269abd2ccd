//! The checks of replies and final buffers.

use std::fmt::Debug;

use bytes::Bytes;
use zkwhirl_job::{
    Kind, Request, Sizes, Word,
    reply::{self, NotVerified, ReplyShape},
};

use crate::world::ExpectedBroadcast;

/// Verifies what needs verification keys.
///
/// The world checks published fields and broadcast data from its own state; the
/// caller of the simulated Falafel supplies this check. Both methods run on a
/// blocking thread.
pub trait ReplyCheck: Debug + Send + Sync {
    /// Verifies the proof behind a reply's published fields. `Err` says why the reply
    /// does not prove the request's statement.
    fn check(&self, request: &Request, reply: &Bytes) -> Result<(), NotVerified>;

    /// Verifies the final buffer of a rollup as a reader of the chain would: with
    /// the buffer and the verification keys, without any request. Returns the number
    /// of verified proofs. `Err` says why the buffer does not prove its broadcast data.
    fn check_final(&self, buffer: &Bytes) -> Result<usize, NotVerified>;
}

/// Accepts every proof: for replies of the mock prover.
#[derive(Debug, Clone, Copy, Default)]
pub struct FieldsOnly;

impl ReplyCheck for FieldsOnly {
    fn check(&self, _: &Request, _: &Bytes) -> Result<(), NotVerified> {
        Ok(())
    }

    fn check_final(&self, _: &Bytes) -> Result<usize, NotVerified> {
        Ok(0)
    }
}

/// What a reply must contain, according to the world's own state.
#[derive(Debug, Clone)]
pub(super) enum Must {
    /// A verification key of the kind's length.
    Key(Kind),
    /// The published fields, at the start of the reply.
    Fields(Vec<Word>),
    /// The broadcast data of the rollup, at the start of the reply.
    Broadcast(ExpectedBroadcast),
}

impl Must {
    pub(super) fn check(&self, reply: &Bytes) -> Result<(), NotVerified> {
        match self {
            Self::Key(kind) => {
                // Any sizes will do: the length of a key does not depend on them.
                let sizes = Sizes::new(1, 1).expect("one is within every limit");
                let shape = ReplyShape::of(*kind, sizes);
                shape.check(*kind, reply).map_err(NotVerified::refused)
            }
            Self::Fields(must) => published(reply, must),
            Self::Broadcast(must) => must.check(reply).map(drop).map_err(NotVerified::refused),
        }
    }
}

fn published(reply: &Bytes, must: &[Word]) -> Result<(), NotVerified> {
    let Some(fields) = reply::fields(reply, must.len()) else {
        let fewest = 32 * must.len();
        return Err(NotVerified::refused(format_args!(
            "a reply of {} bytes is shorter than its {fewest} bytes of published fields",
            reply.len()
        )));
    };
    let wrong = fields.iter().zip(must).position(|(got, must)| got != must);
    match wrong {
        None => Ok(()),
        Some(place) => Err(NotVerified::refused(format_args!(
            "published field {place} is {}, must be {}",
            fields[place], must[place]
        ))),
    }
}
