//! Checks of a request without a key: whether every row of its circuits holds, and
//! with which fields the reply starts.

use zkwhirl_circuits::{
    Suite,
    claim::{self, ClaimWitness},
    field,
    root_rollup::{self, RootRollupWitness},
    tx_rollup::{self, TxRollupWitness},
};
use zkwhirl_job::{
    Kind, Request, Sizes, Word,
    reply::{ReplyShape, fields},
};

use super::statement::{CheckedStatement, NotProvable, to_words};
use crate::native::setting::{Setting, root_size};

/// A request that satisfies every row of its circuits.
#[derive(Debug, Clone)]
pub struct CheckedRequest {
    /// The number of rows (constraints) of all circuits.
    pub rows: usize,
    /// The published fields with which the reply starts, in the original
    /// reply's order, 32 bytes each.
    pub fields: Vec<Word>,
}

/// Checks a request natively and then row by row in its circuits, one circuit
/// after the other, without a key. `report` receives the fraction of the circuits
/// that is done, 0 to 1.
pub fn check(
    request: &Request,
    setting: &Setting,
    report: &dyn Fn(f32),
) -> Result<CheckedRequest, NotProvable> {
    let statement = CheckedStatement::of(request, setting)?;
    let mut rows = 0;
    for (at, part) in statement.parts.iter().enumerate() {
        report(at as f32 / statement.parts.len() as f32);
        rows += part.check().map_err(|error| NotProvable::Row {
            part: part.name.clone(),
            error,
        })?;
    }
    Ok(CheckedRequest {
        rows,
        fields: statement.fields,
    })
}

/// Computes the published fields with which the reply to a request starts, even if
/// the request breaks a rule: for the mock prover.
pub fn published_fields(
    request: &Request,
    suite: Suite,
    sizes: Sizes,
) -> Result<Vec<Word>, NotProvable> {
    request.validate(sizes)?;
    let txs = sizes.txs_per_inner();
    let published = match request {
        Request::Claim(request) => claim::published(suite, &ClaimWitness::new(request)?).to_words(),
        Request::TxRollup(request) => {
            let witness = TxRollupWitness::without_paths(request, txs)?;
            let fields = tx_rollup::published_fields(suite, txs, &witness);
            fields.iter().map(field::to_word).collect()
        }
        Request::RootRollup(request) => {
            let size = root_size(sizes)?;
            let witness = RootRollupWitness::new(request, size)?;
            root_rollup::broadcast(suite, size, &witness).words()
        }
        Request::RootVerifier(request) => {
            let count = ReplyShape::of(Kind::RootRollup, sizes).fields;
            let broadcast = fields(&request.root_rollup_reply, count);
            return Ok(broadcast.expect("a validated request has its broadcast data"));
        }
    };
    Ok(to_words(published))
}
