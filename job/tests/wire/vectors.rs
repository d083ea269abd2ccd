//! Every vector is read as its description says and written byte for byte.

use serde_json::Value;
use sha2::{Digest, Sha256};
use zkwhirl_job::{
    Frame, Kind, Request, Sizes, identify,
    reply::{ReplyShape, fields},
    request::{field, needed_bytes},
};
use zkwhirl_testkit::vector;

use crate::describe::{check_fields, word};

/// The entries of `INDEX.json`.
fn index() -> Vec<Value> {
    let index: Value = serde_json::from_slice(&vector("INDEX.json")).unwrap();
    index["files"].as_array().unwrap().clone()
}

/// The description beside a vector of the index.
fn description(file: &str) -> Value {
    serde_json::from_slice(&vector(&file.replace(".bin", ".json"))).unwrap()
}

/// Every file that holds a request, with the name of its kind.
fn all_requests() -> Vec<(String, String)> {
    let indexed = index().into_iter().filter_map(|entry| {
        let kind = entry["kind"].as_str()?.to_owned();
        let other = kind == "JOB_FRAME" || kind.ends_with("_REPLY");
        (!other).then(|| (entry["file"].as_str().unwrap().to_owned(), kind))
    });
    let claims = (0..32).map(|i| format!("claims/claim_{i:02}_request.bin"));
    let extra = ["claim_0", "claim_1", "claim_2", "flow_claim"]
        .map(|name| format!("pedersen/extra_{name}_request.bin"));
    let claims = claims.chain(extra).map(|file| (file, "CLAIM".to_owned()));
    indexed.chain(claims).collect()
}

fn kind_of(name: &str) -> Kind {
    match name.trim_end_matches("_REQUEST").trim_end_matches("_REPLY") {
        "TX_ROLLUP" => Kind::TxRollup,
        "ROOT_ROLLUP" => Kind::RootRollup,
        "CLAIM" => Kind::Claim,
        "ROOT_VERIFIER" => Kind::RootVerifier,
        "VK" => Kind::JoinSplitVk,
        other => panic!("no kind of job is called {other}"),
    }
}

fn sizes(txs: u32, inners: u32) -> Sizes {
    Sizes::new(txs, inners).unwrap()
}

/// The sizes in a vector's name.
fn sizes_of(file: &str) -> Sizes {
    let (txs, inners) = match file {
        _ if file.contains("28x2") => (28, 2),
        _ if file.contains("2x2") => (2, 2),
        _ if file.contains("size2") => (2, 1),
        _ if file.contains("nodefi") => (2, 2),
        _ if file.contains("1x1") => (1, 1),
        _ => (28, 32),
    };
    sizes(txs, inners)
}

/// Reads a request in pieces: each time only as many bytes as were needed.
#[track_caller]
pub(crate) fn tells_its_own_length(name: &str, request: &[u8]) {
    let (mut have, mut needed) = (0, needed_bytes(&[]).unwrap());
    while needed != have {
        let more = "asked for more than there is";
        assert!(needed <= request.len(), "{name}: {more}");
        have = needed;
        needed = needed_bytes(&request[..have]).unwrap();
    }
    assert_eq!(have, request.len(), "{name}");
}

#[test]
fn the_files_are_those_of_the_index() {
    for entry in index() {
        let file = entry["file"].as_str().unwrap();
        let bytes = vector(file);
        assert_eq!(bytes.len() as u64, entry["bytes"], "{file}");
        let digest = hex::encode(Sha256::digest(&bytes));
        assert_eq!(digest, entry["sha256"], "{file}");
    }
}

#[test]
fn every_request_round_trips_and_is_of_its_kind() {
    let files = all_requests();
    assert!(files.len() >= 13 + 12 + 32 + 4, "{} requests", files.len());
    for (file, kind) in files {
        let bytes = vector(&file);
        let request = Request::parse(&bytes).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!(request.kind(), kind_of(&kind), "{file}");
        assert_eq!(identify(4, &bytes), Some(request.kind()), "{file}");
        assert_eq!(request.to_bytes(), bytes, "{file}");
        tells_its_own_length(&file, &bytes);
        let validated = request.validate(sizes_of(&file));
        assert_eq!(validated, Ok(()), "{file}");
    }
}

#[test]
fn the_fields_are_those_of_the_description() {
    let mut described = 0;
    for entry in index() {
        let file = entry["file"].as_str().unwrap();
        let description = description(file);
        let fields = description.get("fields");
        if let Some(fields) = fields.filter(|f| f.get("composer_type").is_none())
            && !file.contains("vk_reply")
        {
            check_fields(fields, &Request::parse(&vector(file)).unwrap());
            described += 1;
        }
    }
    assert_eq!(described, 14);
}

#[test]
fn sizes_follow_the_formulas() {
    for (file, _) in all_requests() {
        let bytes = vector(&file);
        let must = match Request::parse(&bytes).unwrap() {
            Request::TxRollup(r) => {
                let n = r.txs.len();
                let padding = 16_388 * (r.old_null_paths.len() - 2 * n);
                let words = r.bridge_call_datas.len() + r.asset_ids.len();
                2264 + 38_716 * n + padding + 32 * words
            }
            Request::RootRollup(r) => {
                let proofs: usize = r.inner_proofs.iter().map(|proof| 4 + proof.len()).sum();
                let words = r.bridge_call_datas.len() + r.asset_ids.len();
                3908 + proofs + 32 * words + 133 * r.defi_interaction_notes.len()
            }
            Request::Claim(_) => 4413,
            Request::RootVerifier(r) => 8 + r.root_rollup_reply.len(),
        };
        assert_eq!(bytes.len(), must, "{file}");
    }
}

#[test]
fn every_frame_round_trips_and_is_as_described() {
    let mut frames = 0;
    for entry in index().iter().filter(|entry| entry["kind"] == "JOB_FRAME") {
        let file = entry["file"].as_str().unwrap();
        let (body, description) = (vector(file), description(file));
        if body.is_empty() {
            let error = Frame::parse(&body).unwrap_err().to_string();
            let why = "a frame of 0 bytes has no complete header (36 bytes)";
            assert_eq!(error, why);
            continue;
        }
        let frame = Frame::parse(&body).unwrap();
        assert_eq!(frame.ticket.to_string(), description["id"], "{file}");
        assert_eq!(u64::from(frame.command), description["cmd"], "{file}");
        assert_eq!(frame.data.len() as u64, description["data_len"], "{file}");
        assert_eq!(frame.to_bytes(), body, "{file}");
        frames += 1;
    }
    assert_eq!(frames, 10);
}

#[test]
fn a_frame_tells_its_kind() {
    let frame = Frame::parse(&vector("frame_getjob_create_proof_claim.bin")).unwrap();
    assert_eq!(frame.data, vector("claim_0.bin"));
    assert_eq!(identify(frame.command, &frame.data), Some(Kind::Claim));
    assert_eq!(identify(7, &frame.data), None);
    for (file, kind) in [
        ("frame_getjob_join_split_vk.bin", Kind::JoinSplitVk),
        ("frame_getjob_account_vk.bin", Kind::AccountVk),
    ] {
        let frame = Frame::parse(&vector(file)).unwrap();
        assert_eq!(identify(frame.command, &frame.data), Some(kind));
    }
}

#[test]
fn real_replies_have_the_shape_of_their_kind_and_sizes() {
    for entry in index() {
        let file = entry["file"].as_str().unwrap();
        let kind = entry["kind"].as_str().unwrap();
        if !kind.ends_with("_REPLY") {
            continue;
        }
        let (kind, reply) = (kind_of(kind), vector(file));
        let shape = ReplyShape::of(kind, sizes_of(file));
        assert_eq!(shape.bytes.unwrap_or(reply.len()), reply.len(), "{file}");
        assert_eq!(shape.check(kind, &reply), Ok(()), "{file}");
        assert_eq!(fields(&reply, shape.fields).unwrap().len(), shape.fields);
    }
    for (kind, bytes) in [
        (Kind::Claim, 2016),
        (Kind::TxRollup, 13_664),
        (Kind::RootRollup, 268_736),
        (Kind::RootVerifier, 268_000),
    ] {
        let shape = ReplyShape::of(kind, sizes(28, 32));
        assert_eq!(shape.bytes, Some(bytes), "{kind}");
        let refusal = |reply: &[u8]| shape.check(kind, reply).unwrap_err().to_string();
        let got = bytes + 1;
        let why = format!("the reply to a {kind} job has {got} bytes, must have {bytes}");
        assert_eq!(refusal(&vec![0; got]), why);
        assert!(refusal(&[]).ends_with("is empty"));
    }
}

#[test]
fn a_real_reply_publishes_the_requests_own_roots() {
    let request = Request::parse(&vector("valid_2x2_1_tx_rollup_request.bin")).unwrap();
    let Request::TxRollup(request) = request else {
        panic!("the file holds a tx rollup")
    };
    let published = fields(&vector("valid_2x2_1_tx_rollup_reply.bin"), 108 + 16).unwrap();
    assert_eq!(published[0], u64::from(request.rollup_id).into());
    assert_eq!(published[2], u64::from(request.data_start_index).into());
    assert_eq!(published[3], request.old_data_root);
    assert_eq!(published[4], request.new_data_root);
    assert_eq!(published[10], request.new_defi_root);
    let tx = &request.txs[0].public_inputs;
    assert_eq!(published[108 + 3], tx[field::NULLIFIER1]);
}

#[test]
fn claims_publish_the_roots_of_their_requests() {
    let described: Value = serde_json::from_slice(&vector("claims/public_inputs.json")).unwrap();
    let text = described.to_string();
    for i in 0..32 {
        let name = format!("claims/claim_{i:02}_request.bin");
        let Ok(Request::Claim(claim)) = Request::parse(&vector(&name)) else {
            panic!("{name} is no claim")
        };
        for root in [
            claim.data_root,
            claim.defi_root,
            claim.claim_note.bridge_call_data,
        ] {
            assert!(text.contains(&root.to_string()), "{name}: {root}");
        }
    }
    assert_eq!(word(&Value::from("0".repeat(63) + "1")).to_u64(), Some(1));
}
