//! What a reply must be.

use std::fmt::Debug;

use bytes::Bytes;
use zkwhirl_job::{Request, Word, reply};

/// Verifies the proof behind a reply's published fields.
///
/// The world checks the fields itself, from its own state; whoever wires the
/// simulated Falafel supplies the part that needs verification keys. It runs
/// on a blocking thread.
pub trait ReplyCheck: Debug + Send + Sync {
    /// `Err` says why the reply is no proof of the request's statement.
    fn check(&self, request: &Request, reply: &Bytes) -> Result<(), String>;
}

/// Looks at no proof: for replies of the mock prover.
#[derive(Debug, Clone, Copy, Default)]
pub struct FieldsOnly;

impl ReplyCheck for FieldsOnly {
    fn check(&self, _: &Request, _: &Bytes) -> Result<(), String> {
        Ok(())
    }
}

/// Checks that a reply publishes what the world's own state demands.
pub(super) fn published(reply: &Bytes, must: &[Word]) -> Result<(), String> {
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
