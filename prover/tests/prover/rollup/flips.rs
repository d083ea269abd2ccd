//! Tests that change a bit in every part of every kind of reply.
//!
//! | changed | one bit of |
//! |---|---|
//! | the header of a tail | each byte |
//! | anything in a claim's reply, or in a client's proof | four bytes |
//! | keys, proofs | 32 bytes |
//! | fields, words | five words |
//!
//! Other tests change more: `inner` every field and every word of an inner rollup,
//! `native::reply::batch` every bit of a proof, and the tests of the circuits every
//! field of a root rollup.

use std::ops::Range;

use bytes::Bytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zkwhirl_circuits::StatementKind;
use zkwhirl_job::{Request, reply::NativeProof, request::field::PROOF_ID};
use zkwhirl_prover::native::verify_client;

use super::proved::{ONE, ProvedRollup, TWO, client_proof, refusal, verification};

/// The length in bytes of a tail's header, which precedes the keys.
const TAIL_HEADER: usize = 16;
/// In replies up to this length in bytes, one bit of each four bytes is changed.
const SMALL: usize = 1024;
/// The error of a good proof for other fields.
const NOT_FOR_ITS_FIELDS: &str = "the proof does not verify for its published fields";

/// Where a bit was changed.
#[derive(Debug, Clone, Copy)]
enum Region {
    /// A word before the tail.
    Field(usize),
    /// A byte of the tail's header.
    Header,
    Key,
    Word,
    Proof(usize),
}

/// A reply whose first words are followed by a tail.
struct Reply<'a> {
    bytes: &'a Bytes,
    fields: usize,
    tail: NativeProof,
}

impl<'a> Reply<'a> {
    fn new(bytes: &'a Bytes, fields: usize) -> Self {
        let tail = NativeProof::parse(&bytes[32 * fields..]).unwrap();
        Self {
            bytes,
            fields,
            tail,
        }
    }

    /// The reply with one bit changed, many times in each region.
    fn flipped(&self) -> Vec<(Region, Bytes)> {
        let tail = 32 * self.fields;
        let keys = tail + TAIL_HEADER;
        let words = keys + 32 * self.tail.vks.len();
        let proofs = words + 32 * self.tail.words.len();
        let small = self.bytes.len() <= SMALL;
        let [long, short] = if small { [4, 4] } else { [160, 32] };
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let mut flipped: Vec<(Region, Bytes)> = Vec::new();
        let mut flip = |bytes: Range<usize>, step: usize, region: &dyn Fn(usize) -> Region| {
            for start in bytes.clone().step_by(step) {
                let at = start + random.gen_range(0..step.min(bytes.end - start));
                let mut changed = self.bytes.to_vec();
                changed[at] ^= 1 << random.gen_range(0..8);
                flipped.push((region(at), changed.into()));
            }
        };
        flip(0..tail, long, &|at| Region::Field(at / 32));
        flip(tail..keys, 1, &|_| Region::Header);
        flip(keys..words, short, &|_| Region::Key);
        flip(words..proofs, long, &|_| Region::Word);
        flip(proofs..self.bytes.len(), short, &|at| {
            Region::Proof((at - proofs) / 128)
        });
        flipped
    }
}

/// Asserts that the gate refuses each changed reply to a request with the right
/// reason. `names` are the names of the reply's proofs, in order.
fn refused_with_the_reason(
    rollup: &ProvedRollup,
    request: &Request,
    reply: &Reply<'_>,
    names: &[String],
) {
    let verifier = &rollup.verifier;
    verifier.verify(request, reply.bytes).unwrap();
    assert_eq!(names.len(), reply.tail.proofs.len());
    for (region, changed) in reply.flipped() {
        let error = refusal(verifier.verify(request, &changed));
        let named = match region {
            Region::Field(field) => error.starts_with(&format!("published field {field} is ")),
            Region::Header => true,
            Region::Key => error.contains("the proof names verification key"),
            // The changed word is a count of words or proofs, a field element, or a
            // word that must equal the request's.
            Region::Word => error.contains("word") || error.contains("expected"),
            Region::Proof(at) => error.starts_with(&format!("{}: the proof", names[at])),
        };
        assert!(named, "{region:?}: {error}");
    }
}

#[test]
fn of_a_claim() {
    let (request, reply) = &ONE.claims[0];
    let names = ["claim".to_owned()];
    refused_with_the_reason(&ONE, request, &Reply::new(reply, 16), &names);
}

/// Client proofs as wallets send them to Falafel, which verifies each proof alone.
#[test]
fn of_clients() {
    use StatementKind::{Account, Claim, JoinSplit};
    let txs = TWO.txs();
    let ids = txs.iter().map(|tx| tx.public_inputs[PROOF_ID].to_u64());
    assert!(ids.eq([6, 5, 4].map(Some)));
    for (tx, statement) in txs.iter().zip([Claim, JoinSplit, Account]) {
        let words = tx.public_inputs.iter().flat_map(|word| word.0);
        let bytes = words.chain(tx.tail.iter().copied()).collect();
        let key = TWO.engine().client_vk(statement, &|_| {}).unwrap();
        verify_client(&key, &client_proof(&bytes)).unwrap();
        for (region, changed) in Reply::new(&bytes, 16).flipped() {
            let error = refusal(verify_client(&key, &client_proof(&changed)));
            let named = match region {
                Region::Field(at) => {
                    let problem = format!("public input {at} is not a canonical field element");
                    error == NOT_FOR_ITS_FIELDS
                        || error == problem
                        || at == PROOF_ID && error.contains("proof id")
                }
                Region::Header => true,
                Region::Key => error.starts_with("the proof names verification key "),
                Region::Word => unreachable!("a client's tail has none"),
                Region::Proof(_) => error.starts_with("the proof"),
            };
            assert!(named, "{region:?}: {error}");
        }
    }
}

/// The keys with which Falafel verifies the proofs of its clients.
#[test]
fn of_verification_keys_of_clients() {
    let verifier = &ONE.verifier;
    for (statement, name) in [
        (StatementKind::JoinSplit, "join-split/poseidon"),
        (StatementKind::Account, "account/poseidon"),
    ] {
        let key = ONE.engine().client_vk(statement, &|_| {}).unwrap();
        verifier.verify_client_vk(statement, &key).unwrap();
        for at in 0..key.len() {
            let mut changed = key.clone();
            changed[at] ^= 1 << (at % 8);
            let error = refusal(verifier.verify_client_vk(statement, &changed));
            let must = format!("the reply is not the verification key of {name}");
            assert_eq!(error, must, "byte {at}");
        }
    }
}

/// Inner rollups in one circuit and as a chain, with client proofs.
#[test]
fn of_inner_rollups() {
    for rollup in [&ONE, &TWO] {
        for inner in &rollup.inners {
            let reply = Reply::new(&inner.receipt.reply, inner.published.len());
            let names = inner.names(&rollup.setting);
            refused_with_the_reason(rollup, &inner.request, &reply, &names);
        }
    }
}

/// Replies to root rollups and to root verifiers, checked with the request and from
/// the bytes alone.
#[test]
fn of_whole_rollups() {
    for rollup in [&ONE, &TWO] {
        let (verifier, root) = (&rollup.verifier, rollup.root());
        let verified = verifier.verify_rollup(&root.reply).unwrap();
        let reply = Reply::new(&root.reply, root.broadcast.len());
        let request = Request::RootRollup(Box::new(root.request.clone()));
        let verification = verification(&root.reply);
        for (region, changed) in reply.flipped() {
            let alone = refusal(verifier.verify_rollup(&changed));
            if let Region::Proof(at) = region {
                let name = &verified.proofs[at].name;
                assert!(alone.starts_with(&format!("{name}: the proof")), "{alone}");
            }
            let asked = refusal(verifier.verify(&request, &changed));
            match region {
                Region::Field(field) => {
                    let text = format!("published field {field} is ");
                    assert!(asked.starts_with(&text), "{asked}");
                }
                // Proof 0 is the root rollup's; all others come from the request.
                Region::Proof(0) => assert!(asked.starts_with("root rollup: the proof")),
                Region::Proof(_) => assert!(asked.ends_with("is not the request's"), "{asked}"),
                _ => {}
            }
            let last = refusal(verifier.verify(&verification, &changed));
            let text = "the reply differs from the verified rollup at byte ";
            assert!(last.starts_with(text), "{last}");
        }
    }
}
