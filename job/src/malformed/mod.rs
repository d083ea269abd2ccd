//! A table of requests that must be refused, with the exact text of each
//! refusal. Each case is a real request with one fault: a truncated field, another
//! depth or count, a word that is no field element.
//!
//! The places of the fields come from `layout`, which is written from the
//! specification and shares nothing with the parser.

mod layout;

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use layout::{Field, Form};

use crate::{Sizes, limits};

/// A request that must be refused.
#[derive(Debug, Clone)]
pub struct MalformedCase {
    /// The request and its fault.
    pub name: String,
    /// The request.
    pub request: Bytes,
    /// `None`: the parser refuses the request. Otherwise the request is well formed,
    /// but wrong for a cluster of these sizes.
    pub sizes: Option<Sizes>,
    /// The whole text of the error.
    pub error: String,
}

/// All cases. `vectors` gives the bytes of a file of `tests/vectors`.
pub fn malformed_cases(vectors: &dyn Fn(&str) -> Bytes) -> Vec<MalformedCase> {
    let mut cases = vec![
        case(
            "nothing at all",
            Bytes::new(),
            "proof id needs 4 bytes but 0 are left (byte 0)",
        ),
        case(
            "more than the limit",
            vec![0; limits::REQUEST_BYTES + 1].into(),
            "the request's length is 2097161, must be at most 2097160 bytes (byte 0)",
        ),
    ];
    for (file, layout) in [
        ("claim_0", layout::claim()),
        ("tx_rollup_2tx", layout::tx_rollup(2, 5)),
        ("root_rollup_2inner_nodefi", layout::root_rollup(2, 5984, 0)),
        ("root_rollup_1inner_1x1", layout::root_rollup(1, 5728, 2)),
        ("root_verifier_1x1", layout::root_verifier(6848)),
    ] {
        let request = vectors(&format!("{file}.bin"));
        for field in &layout.fields {
            cases.extend(faults(file, &request, field));
        }
        let longer = [&request[..], &[0]].concat();
        let (kind, bytes) = (layout.kind, request.len());
        cases.push(case(
            &format!("{file}: a byte more"),
            longer.into(),
            &format!("1 bytes follow the {kind} request (byte {bytes})"),
        ));
    }
    cases.extend(wrong_for_sizes(vectors));
    cases
}

fn faults(file: &str, request: &Bytes, field: &Field) -> Vec<MalformedCase> {
    let Field {
        name,
        at,
        bytes,
        form,
    } = field;
    let mut cases = Vec::new();
    for left in BTreeSet::from([0, bytes - 1]) {
        cases.push(case(
            &format!("{file}: {name} cut to {left} bytes"),
            request.slice(..at + left),
            &format!("{name} needs {bytes} bytes but {left} are left (byte {at})"),
        ));
    }
    match form {
        Form::Any => {}
        Form::Element => cases.push(case(
            &format!("{file}: {name} above the modulus"),
            overwritten(request, *at, &[0xff; 32]),
            &format!("{name} is not below the field modulus (byte {at})"),
        )),
        Form::Flag => cases.push(case(
            &format!("{file}: {name} of 2"),
            overwritten(request, *at, &[2]),
            &format!("{name} is 2, must be 0 or 1 (byte {at})"),
        )),
        Form::Number { must, wrong } => {
            for wrong in BTreeSet::from_iter(wrong) {
                cases.push(case(
                    &format!("{file}: {name} of {wrong}"),
                    overwritten(request, *at, &wrong.to_be_bytes()),
                    &format!("{name} is {wrong}, must be {must} (byte {at})"),
                ));
            }
        }
    }
    cases
}

/// Requests that are well formed, but wrong for a cluster of these sizes.
fn wrong_for_sizes(vectors: &dyn Fn(&str) -> Bytes) -> Vec<MalformedCase> {
    let table = [
        (
            "valid_2x2_0_tx_rollup_request",
            (1, 2),
            "number of txs is 2, must be at most 1, the size of an inner rollup here (byte 8)",
        ),
        (
            "tx_rollup_28tx",
            (27, 32),
            "number of txs is 28, must be at most 27, the size of an inner rollup here (byte 8)",
        ),
        // The inner rollup is not full, but a padding path is missing.
        (
            "valid_2x2_0_tx_rollup_request",
            (3, 2),
            "number of nullifier paths is 4, must be 5 for 2 txs in an inner rollup of 3 (byte 10460)",
        ),
        // The inner rollup is full, but has a padding path.
        (
            "valid_2x2_1_tx_rollup_request",
            (1, 2),
            "number of nullifier paths is 3, must be 2 for 1 txs in an inner rollup of 1 (byte 6320)",
        ),
        (
            "valid_2x2_2_root_rollup_request",
            (2, 1),
            "number of inner rollups is 2, must be at most 1, the size of a rollup here (byte 8)",
        ),
        // The broadcast data of a smaller rollup.
        (
            "root_verifier_1x1",
            (28, 32),
            "root rollup reply length is 6848, must be 268736, or 266688 and the native tail of a whole rollup (byte 4)",
        ),
        // Inner rollups of another size.
        (
            "root_rollup_2inner",
            (2, 2),
            "inner proof 0 length is 13664, must be 5984, or 3968 and the native tail of a tx rollup (byte 16)",
        ),
    ];
    let cases = table.into_iter().map(|(file, (txs, inners), error)| {
        let sizes = Sizes::new(txs, inners);
        let sizes = sizes.expect("sizes of this table are within the limits");
        let request = vectors(&format!("{file}.bin"));
        MalformedCase {
            sizes: Some(sizes),
            ..case(&format!("{file} for {sizes}"), request, error)
        }
    });
    cases.collect()
}

fn case(name: &str, request: Bytes, error: &str) -> MalformedCase {
    MalformedCase {
        name: name.into(),
        request,
        sizes: None,
        error: error.into(),
    }
}

fn overwritten(request: &Bytes, at: usize, with: &[u8]) -> Bytes {
    let mut copy = BytesMut::from(&request[..]);
    copy[at..at + with.len()].copy_from_slice(with);
    copy.freeze()
}
