//! Compares a parsed request with the JSON that describes its bytes.

use serde_json::Value;
use sha2::{Digest, Sha256};
use zkwhirl_job::{
    Request, Word,
    request::{
        ClaimRequest, ClientProof, DefiInteractionNote, MerklePath, RootRollupRequest,
        TxRollupRequest,
    },
};

/// The places of a client proof's public inputs under their JSON names.
const PUBLIC_INPUTS: [&str; 16] = [
    "proof_id",
    "note_commitment1",
    "note_commitment2",
    "nullifier1",
    "nullifier2",
    "public_value",
    "public_owner",
    "public_asset_id",
    "note_tree_root",
    "tx_fee",
    "tx_fee_asset_id",
    "bridge_call_data",
    "defi_deposit_value",
    "defi_root",
    "backward_link",
    "allow_chain",
];

/// A word from its 64 hex digits.
pub(crate) fn word(json: &Value) -> Word {
    let mut bytes = [0; 32];
    hex::decode_to_slice(json.as_str().unwrap(), &mut bytes).unwrap();
    Word(bytes)
}

/// Compares every field of the description with the parsed request.
pub(crate) fn check_fields(fields: &Value, request: &Request) {
    match request {
        Request::TxRollup(request) => tx_rollup(fields, request),
        Request::RootRollup(request) => root_rollup(fields, request),
        Request::Claim(request) => claim(fields, request),
        Request::RootVerifier(request) => {
            blob(&fields["root_rollup_proof_buf"], &request.root_rollup_reply);
        }
    }
}

fn tx_rollup(f: &Value, r: &TxRollupRequest) {
    assert_eq!(f["rollup_id"], r.rollup_id);
    assert_eq!(f["num_txs"], r.txs.len());
    assert_eq!(f["data_start_index"], r.data_start_index);
    each(&f["txs"], &r.txs, client_proof);
    assert_eq!(word(&f["old_data_root"]), r.old_data_root);
    assert_eq!(word(&f["new_data_root"]), r.new_data_root);
    path(&f["old_data_path"], &r.old_data_path);
    let (paths, indices) = (&r.linked_commitment_paths, &r.linked_commitment_indices);
    each(&f["linked_commitment_paths"], paths, path);
    each(&f["linked_commitment_indices"], indices, number);
    assert_eq!(word(&f["old_null_root"]), r.old_null_root);
    each(&f["new_null_roots"], &r.new_null_roots, same_word);
    each(&f["old_null_paths"], &r.old_null_paths, path);
    assert_eq!(word(&f["data_roots_root"]), r.data_roots_root);
    each(&f["data_roots_paths"], &r.data_roots_paths, path);
    // The original's own spelling.
    each(&f["data_roots_indicies"], &r.data_roots_indices, number);
    assert_eq!(word(&f["new_defi_root"]), r.new_defi_root);
    each(&f["bridge_call_datas"], &r.bridge_call_datas, same_word);
    each(&f["asset_ids"], &r.asset_ids, same_word);
}

fn root_rollup(f: &Value, r: &RootRollupRequest) {
    assert_eq!(f["rollup_id"], r.rollup_id);
    assert_eq!(f["num_inner_proofs"], r.inner_proofs.len());
    each(&f["rollups"], &r.inner_proofs, |json, proof| {
        blob(json, proof)
    });
    assert_eq!(word(&f["old_data_roots_root"]), r.old_data_roots_root);
    assert_eq!(word(&f["new_data_roots_root"]), r.new_data_roots_root);
    path(&f["old_data_roots_path"], &r.old_data_roots_path);
    assert_eq!(word(&f["old_defi_root"]), r.old_defi_root);
    assert_eq!(word(&f["new_defi_root"]), r.new_defi_root);
    path(&f["old_defi_path"], &r.old_defi_path);
    each(&f["bridge_call_datas"], &r.bridge_call_datas, same_word);
    each(&f["asset_ids"], &r.asset_ids, same_word);
    let notes = &f["defi_interaction_notes"];
    each(notes, &r.defi_interaction_notes, |json, note| {
        interaction_note(json, note, "");
    });
    assert_eq!(word(&f["rollup_beneficiary"]), r.rollup_beneficiary);
}

fn claim(f: &Value, r: &ClaimRequest) {
    assert_eq!(word(&f["data_root"]), r.data_root);
    assert_eq!(word(&f["defi_root"]), r.defi_root);
    assert_eq!(f["claim_note_index"], r.claim_note_index);
    path(&f["claim_note_path"], &r.claim_note_path);
    let (json, note) = (&f["claim_note"], &r.claim_note);
    assert_eq!(word(&json["deposit_value"]), note.deposit_value);
    assert_eq!(word(&json["bridge_call_data"]), note.bridge_call_data);
    assert_eq!(json["defi_interaction_nonce"], note.defi_interaction_nonce);
    assert_eq!(word(&json["fee"]), note.fee);
    let partial = word(&json["value_note_partial_commitment"]);
    assert_eq!(partial, note.value_note_partial_commitment);
    assert_eq!(word(&json["input_nullifier"]), note.input_nullifier);
    assert_eq!(f["defi_note_index"], r.defi_note_index);
    path(&f["defi_interaction_note_path"], &r.defi_note_path);
    interaction_note(&f["defi_interaction_note"], &r.defi_note, "interaction_");
    assert_eq!(word(&f["output_value_a"]), r.output_value_a);
    assert_eq!(word(&f["output_value_b"]), r.output_value_b);
}

fn interaction_note(json: &Value, note: &DefiInteractionNote, prefix: &str) {
    for (name, value) in [
        ("bridge_call_data", note.bridge_call_data),
        ("total_input_value", note.total_input_value),
        ("total_output_value_a", note.total_output_value_a),
        ("total_output_value_b", note.total_output_value_b),
    ] {
        assert_eq!(word(&json[name]), value, "{name}");
    }
    assert_eq!(json[format!("{prefix}nonce")], note.nonce);
    assert_eq!(json[format!("{prefix}result")], note.result);
}

fn client_proof(json: &Value, tx: &ClientProof) {
    let words = tx.public_inputs.iter().flat_map(|word| word.0);
    let bytes: Vec<u8> = words.chain(tx.tail.iter().copied()).collect();
    assert_eq!(json["len"], bytes.len());
    assert_eq!(json["sha256"], hex::encode(Sha256::digest(bytes)));
    for (name, value) in PUBLIC_INPUTS.iter().zip(&tx.public_inputs) {
        assert_eq!(word(&json["public_inputs"][name]), *value, "{name}");
    }
}

fn path(json: &Value, path: &MerklePath) {
    let pairs: Vec<_> = path.pairs().collect();
    assert_eq!(json["depth"], pairs.len());
    let same = |json: &Value, pair: &(Word, Word)| {
        assert_eq!((word(&json[0]), word(&json[1])), *pair);
    };
    if let Some(nodes) = json.get("nodes") {
        return each(nodes, &pairs, same);
    }
    same(&json["first_pair"], &pairs[0]);
    same(&json["last_pair"], &pairs[pairs.len() - 1]);
    let mut bytes = u32::try_from(pairs.len()).unwrap().to_be_bytes().to_vec();
    let words = pairs.iter().flat_map(|(left, right)| [left.0, right.0]);
    bytes.extend(words.flatten());
    let digest = hex::encode(Sha256::digest(bytes));
    assert_eq!(json["sha256_of_serialised_path"], digest);
}

fn blob(json: &Value, bytes: &[u8]) {
    assert_eq!(json["len"], bytes.len());
    assert_eq!(json["sha256"], hex::encode(Sha256::digest(bytes)));
}

fn same_word(json: &Value, value: &Word) {
    assert_eq!(word(json), *value);
}

fn number(json: &Value, value: &u32) {
    assert_eq!(json, value);
}

fn each<T>(json: &Value, values: &[T], same: impl Fn(&Value, &T)) {
    let entries = json.as_array().unwrap();
    assert_eq!(entries.len(), values.len());
    for (entry, value) in entries.iter().zip(values) {
        same(entry, value);
    }
}
