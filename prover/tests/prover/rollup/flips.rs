//! A bit is changed in every part of every kind of reply.
//!
//! | changed | one bit of |
//! |---|---|
//! | the header of a tail | each byte |
//! | anything in a claim's reply, or in a client's proof | four bytes |
//! | keys, proofs | 32 bytes |
//! | fields, words | five words |
//!
//! `native::reply::verifier` changes every field and every word of an inner
//! rollup, `native::reply::batch` every bit of a proof, and the circuits' own
//! tests the fields of a root rollup.

use std::ops::Range;

use bytes::Bytes;
use zkwhirl_circuits::StatementKind;
use zkwhirl_job::{
    Request,
    reply::{NativeProof, fields},
    request::field::PROOF_ID,
};
use zkwhirl_prover::native::{Setting, read_tx_rollup};

use super::{
    stage::{LIMIT, ONE, SUITE, Stage, TWO, refusal},
    verify_client,
    wallets::client_proof,
};

/// Bytes of a tail before its keys.
const TAIL_HEADER: usize = 16;
/// The longest reply whose bits are changed as densely as a claim's.
const SMALL: usize = 1024;
/// What a proof is told whose fields are others.
const NOT_FOR_ITS_FIELDS: &str = "the proof does not verify for its published fields";

/// Where a bit was changed.
#[derive(Debug, Clone, Copy)]
enum Place {
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

    /// The bytes to change, and where they are.
    fn places(&self) -> Vec<(usize, Place)> {
        let tail = 32 * self.fields;
        let keys = tail + TAIL_HEADER;
        let words = keys + 32 * self.tail.vks.len();
        let proofs = words + 32 * self.tail.words.len();
        let small = self.bytes.len() <= SMALL;
        let [long, short] = if small { [4, 4] } else { [160, 32] };
        let mut draws = Draws(1);
        let mut places: Vec<(usize, Place)> = Vec::new();
        let mut add = |region: Range<usize>, step: usize, place: &dyn Fn(usize) -> Place| {
            for at in region.clone().step_by(step) {
                let byte = at + draws.below(step.min(region.end - at));
                places.push((byte, place(byte)));
            }
        };
        add(0..tail, long, &|at| Place::Field(at / 32));
        add(tail..keys, 1, &|_| Place::Header);
        add(keys..words, short, &|_| Place::Key);
        add(words..proofs, long, &|_| Place::Word);
        add(proofs..self.bytes.len(), short, &|at| {
            Place::Proof((at - proofs) / 128)
        });
        places
    }

    /// The reply with one bit changed at each place.
    fn flipped(&self) -> impl Iterator<Item = (Place, Bytes)> + '_ {
        let mut draws = Draws(2);
        self.places().into_iter().map(move |(at, place)| {
            let mut changed = self.bytes.to_vec();
            changed[at] ^= 1 << draws.below(8);
            (place, changed.into())
        })
    }
}

/// Numbers that are the same in every run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: usize) -> usize {
        let Self(state) = self;
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (*state >> 33) as usize % limit
    }
}

/// What the gate says of each changed reply to a request. `names` are those of
/// the reply's proofs, in order.
fn refused_with_the_reason(stage: &Stage, request: &Request, reply: &Reply<'_>, names: &[String]) {
    let verifier = stage.verifier();
    verifier.verify(request, reply.bytes).unwrap();
    assert_eq!(names.len(), reply.tail.proofs.len());
    for (place, changed) in reply.flipped() {
        let error = refusal(verifier.verify(request, &changed));
        let named = match place {
            Place::Field(field) => error.starts_with(&format!("published field {field} is ")),
            Place::Header => true,
            Place::Key => error.contains("the proof names verification key"),
            // A number that counts words or proofs, an element, or a word that
            // the request demands otherwise.
            Place::Word => error.contains("word") || error.contains("expected"),
            Place::Proof(at) => error.starts_with(&format!("{}: the proof", names[at])),
        };
        assert!(named, "{place:?}: {error}");
    }
}

#[test]
fn of_a_claim() {
    let (request, reply) = &ONE.claim;
    let names = ["claim".to_owned()];
    refused_with_the_reason(&ONE, request, &Reply::new(reply, 16), &names);
}

/// As wallets give them to Falafel, which verifies them alone.
#[test]
fn of_clients() {
    let mut kinds = Vec::new();
    for (request, _) in &TWO.inners {
        let Request::TxRollup(inner) = request else {
            unreachable!("inner rollups are tx rollups");
        };
        for tx in &inner.txs {
            let words = tx.public_inputs.iter().flat_map(|word| word.0);
            let bytes = words.chain(tx.tail.iter().copied()).collect();
            let id = tx.public_inputs[PROOF_ID].to_u64();
            let statement = match id {
                Some(6) => StatementKind::Claim,
                Some(4) => StatementKind::Account,
                _ => StatementKind::JoinSplit,
            };
            let key = TWO.engine().client_vk(statement, &|_| {}).unwrap();
            verify_client(&key, &client_proof(&bytes)).unwrap();
            for (place, changed) in Reply::new(&bytes, 16).flipped() {
                let error = refusal(verify_client(&key, &client_proof(&changed)));
                let named = match place {
                    Place::Field(at) => {
                        let problem = format!("public input {at} is not a canonical field element");
                        error == NOT_FOR_ITS_FIELDS
                            || error == problem
                            || at == PROOF_ID && error.contains("proof id")
                    }
                    Place::Header => true,
                    Place::Key => error.starts_with("it names verification key "),
                    Place::Word => unreachable!("a client's tail has none"),
                    Place::Proof(_) => error.starts_with("the proof"),
                };
                assert!(named, "{place:?}: {error}");
            }
            kinds.push(id);
        }
    }
    assert_eq!(kinds, [6, 5, 4].map(Some));
}

/// What Falafel verifies its clients with.
#[test]
fn of_verification_keys_of_clients() {
    let verifier = ONE.verifier();
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
            let must = format!("it is not the verification key of {name}");
            assert_eq!(error, must, "byte {at}");
        }
    }
}

/// In one circuit and as a chain, with the clients' proofs.
#[test]
fn of_inner_rollups() {
    for stage in [&ONE, &TWO] {
        let setting = Setting::new(SUITE, stage.sizes, LIMIT);
        let count = 108 + 8 * stage.sizes.slots() as usize;
        for (request, bytes) in &stage.inners {
            let reply = Reply::new(bytes, count);
            let fields = fields(bytes, count).unwrap();
            let proofs = read_tx_rollup(&setting, &fields, &reply.tail).unwrap();
            let names: Vec<String> = proofs.into_iter().map(|proof| proof.name).collect();
            refused_with_the_reason(stage, request, &reply, &names);
        }
    }
}

/// Root rollups, and what their verifiers are asked about: with the requests
/// and, as a stranger does it, without.
#[test]
fn of_whole_rollups() {
    for stage in [&ONE, &TWO] {
        let verifier = stage.verifier();
        let rollup = verifier.verify_rollup(&stage.reply).unwrap();
        let reply = Reply::new(&stage.reply, stage.broadcast.len());
        let root = Request::RootRollup(Box::new(stage.root.clone()));
        let verification = Stage::verification(&stage.reply);
        for (place, changed) in reply.flipped() {
            let alone = refusal(verifier.verify_rollup(&changed));
            if let Place::Proof(at) = place {
                let name = &rollup.proofs[at].name;
                assert!(alone.starts_with(&format!("{name}: the proof")), "{alone}");
            }
            let asked = refusal(verifier.verify(&root, &changed));
            match place {
                Place::Field(field) => {
                    let text = format!("published field {field} is ");
                    assert!(asked.starts_with(&text), "{asked}");
                }
                // The root rollup's own; all others are the request's.
                Place::Proof(0) => assert!(asked.starts_with("root rollup: the proof")),
                Place::Proof(_) => assert!(asked.ends_with("is not the request's"), "{asked}"),
                _ => {}
            }
            let last = refusal(verifier.verify(&verification, &changed));
            let text = "the reply differs from the verified rollup at byte ";
            assert!(last.starts_with(text), "{last}");
        }
    }
}
