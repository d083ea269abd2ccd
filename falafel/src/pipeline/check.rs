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
/// The world checks published fields and broadcast data itself, from its own state;
/// whoever wires the simulated Falafel supplies the rest. Both methods run on a
/// blocking thread.
pub trait ReplyCheck: Debug + Send + Sync {
    /// Verifies the proof behind a reply's published fields. `Err` says why the reply
    /// is not accepted as a proof of the request's statement.
    fn check(&self, request: &Request, reply: &Bytes) -> Result<(), NotVerified>;

    /// Verifies the final buffer of a rollup, as whoever reads it from the chain
    /// would: with the buffer and the verification keys, without any request. The
    /// number of proofs that were verified; `Err` says why the buffer is not accepted
    /// as a proof of its broadcast data.
    fn check_final(&self, buffer: &Bytes) -> Result<usize, NotVerified>;
}

/// Checks no proof: for replies of the mock prover.
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

/// The demands of the world's own state on a reply.
#[derive(Debug, Clone)]
pub(super) enum Must {
    /// The length of a verification key.
    Key(Kind),
    /// Published fields.
    Fields(Vec<Word>),
    /// The broadcast data of the rollup.
    Broadcast(ExpectedBroadcast),
}

impl Must {
    pub(super) fn check(&self, reply: &Bytes) -> Result<(), NotVerified> {
        match self {
            Self::Key(kind) => {
                // Any sizes do: a key's length depends on none.
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
