//! A small world: one claim can be made, and rollup 1 is next.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use bytes::Bytes;
use zkwhirl_circuits::{
    Suite,
    field::to_word,
    published::NO_ASSET,
    tree::{LeafIndex, MerkleTree},
};
use zkwhirl_job::{
    Request, Sizes, Word,
    request::{
        CLIENT_PROOF_BYTES, ClaimRequest, ClientProof, MerklePath, RootRollupRequest,
        TxRollupRequest,
    },
};
use zkwhirl_prover::native::self_test_request;

/// The fee of every payment, in asset 0.
const FEE: u64 = 3;

/// What a rollup is made from; the trees grow as inner rollups are asked for.
pub(crate) struct World {
    sizes: Sizes,
    data: MerkleTree,
    nulls: MerkleTree,
    roots: MerkleTree,
    defi_root: Word,
    defi_path: MerklePath,
    /// The next free subtree of the data tree.
    start: u64,
    /// The next tx: every one has its own notes and nullifiers.
    next: u64,
}

fn word(value: Fr) -> Word {
    Word(to_word(&value))
}

fn random(seed: u64) -> Fr {
    zkwhirl_circuits::poseidon::hash(&[Fr::from(seed)])
}

fn path(tree: &MerkleTree, index: impl Into<LeafIndex>) -> MerklePath {
    let pairs = tree.path(index.into());
    MerklePath(pairs.iter().map(|(l, r)| (word(*l), word(*r))).collect())
}

impl World {
    pub(crate) fn new(suite: Suite, sizes: Sizes) -> Self {
        let claim = claim(suite);
        let mut data = MerkleTree::new(suite, 32);
        // The claim's own tree has one leaf, which its path leads from.
        let leaf = zkwhirl_circuits::claim::ClaimWitness::new(&claim).unwrap();
        data.set(0.into(), leaf.claim_note(suite));
        assert_eq!(word(data.root()), claim.data_root);
        let mut roots = MerkleTree::new(suite, 28);
        roots.set(0.into(), suite.empty_root(32));
        roots.set(1.into(), data.root());
        let mut defi = MerkleTree::new(suite, 30);
        defi.set(0.into(), leaf.defi.commit(suite));
        assert_eq!(word(defi.root()), claim.defi_root);
        Self {
            sizes,
            data,
            nulls: MerkleTree::new(suite, 256),
            roots,
            defi_root: claim.defi_root,
            // No interaction settles, so the root stays.
            defi_path: path(&defi, 32),
            start: 2 * u64::from(sizes.rollup_slots()),
            next: 0,
        }
    }

    /// A payment, with a client proof that is no native one.
    pub(crate) fn send(&mut self) -> ClientProof {
        self.next += 1;
        let mut public_inputs = [Word::ZERO; 16];
        public_inputs[0] = 3.into();
        for (k, input) in public_inputs[1..5].iter_mut().enumerate() {
            *input = word(random(10 * self.next + k as u64));
        }
        public_inputs[8] = word(self.roots.leaf(1.into()));
        public_inputs[9] = FEE.into();
        ClientProof {
            public_inputs,
            tail: Bytes::from(vec![7; CLIENT_PROOF_BYTES as usize - 512]),
        }
    }

    /// The claim as a tx, from the reply to its request.
    pub(crate) fn claim_tx(&self, reply: &Bytes) -> ClientProof {
        let (words, _) = reply.as_chunks::<32>();
        ClientProof {
            public_inputs: std::array::from_fn(|k| Word(words[k])),
            tail: reply.slice(512..),
        }
    }

    /// An inner rollup of some txs.
    pub(crate) fn inner(&mut self, txs: Vec<ClientProof>) -> Request {
        let subtree = 2 * u64::from(self.sizes.slots());
        let mut request = TxRollupRequest {
            rollup_id: 1,
            data_start_index: self.start as u32,
            old_data_root: word(self.data.root()),
            new_data_root: Word::ZERO,
            old_data_path: path(&self.data, self.start),
            linked_commitment_paths: vec![path(&self.data, 0); txs.len()],
            linked_commitment_indices: vec![0; txs.len()],
            old_null_root: word(self.nulls.root()),
            new_null_roots: Vec::new(),
            old_null_paths: Vec::new(),
            data_roots_root: word(self.roots.root()),
            data_roots_paths: vec![path(&self.roots, 1); txs.len()],
            data_roots_indices: vec![1; txs.len()],
            new_defi_root: self.defi_root,
            bridge_call_datas: Vec::new(),
            asset_ids: vec![Word::ZERO],
            txs,
        };
        for (at, tx) in request.txs.iter().enumerate() {
            let [note1, note2, null1, null2] = [1, 2, 3, 4].map(|k| element(tx.public_inputs[k]));
            for (k, note) in [note1, note2].into_iter().enumerate() {
                let place = self.start + 2 * at as u64 + k as u64;
                self.data.set(place.into(), note);
            }
            for nullifier in [null1, null2] {
                request.old_null_paths.push(path(&self.nulls, nullifier));
                self.nulls.set(nullifier.into(), Fr::from(1u64));
                request.new_null_roots.push(word(self.nulls.root()));
            }
        }
        if request.txs.len() < self.sizes.txs_per_inner() as usize {
            request.old_null_paths.push(path(&self.nulls, 0));
        }
        request.new_data_root = word(self.data.root());
        self.start += subtree;
        Request::TxRollup(Box::new(request))
    }

    /// The root rollup of the replies to all inner rollups.
    pub(crate) fn root(&self, inner_proofs: Vec<Bytes>) -> RootRollupRequest {
        let mut roots = self.roots.clone();
        roots.set(2.into(), self.data.root());
        let mut beneficiary = Word::ZERO;
        beneficiary.0[12..].fill(0xab);
        RootRollupRequest {
            rollup_id: 1,
            inner_proofs,
            old_data_roots_root: word(self.roots.root()),
            new_data_roots_root: word(roots.root()),
            old_data_roots_path: path(&self.roots, 2),
            old_defi_root: self.defi_root,
            new_defi_root: self.defi_root,
            old_defi_path: self.defi_path.clone(),
            bridge_call_datas: vec![Word::ZERO; 32],
            asset_ids: vec![Word::ZERO, Word::from(NO_ASSET - 1)],
            defi_interaction_notes: Vec::new(),
            rollup_beneficiary: beneficiary,
        }
    }
}

/// The claim that can be made in the world's first state.
pub(crate) fn claim(suite: Suite) -> ClaimRequest {
    match Request::parse(&self_test_request(suite)).unwrap() {
        Request::Claim(request) => *request,
        other => panic!("the self-test is a {}", other.kind()),
    }
}

fn element(word: Word) -> Fr {
    zkwhirl_circuits::field::from_word(&word.0).unwrap_or(Fr::ZERO)
}
