//! One slot (a tx or padding) as rows (constraints), and the state after it.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use super::links::{Outputs, enforce_link};
use super::lists::MatchedLists;
use super::nullifier::insert;
use super::rules::ROLLUP_ID_BITS;
use super::{TxRollupWitness, TxWitness};
use crate::gadgets::bits::{enforce_nonzero_where, is_zero, pack};
use crate::gadgets::hash::{BitNum, hash};
use crate::gadgets::merkle::root_of;
use crate::notes::DEPOSIT_BITS;
use crate::proof_id;
use crate::published::{
    ASSETS, BRIDGES, CLIENT_FIELDS, FIELDS_PER_TX, ROLLUP_BRIDGE_BITS, RUNNING_STATE_TAG,
    chain_rows, hash_chain, start,
};
use crate::r1cs::{Bit, Builder, Num};
use crate::statement::client::client_statement;
use crate::suite::{HashIndex, Suite};

/// The sums and outputs of all slots so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunningState {
    /// The sum of deposits of each bridge.
    pub sums: [Fr; BRIDGES],
    /// The sum of fees of each asset.
    pub fees: [Fr; ASSETS],
    /// Per slot, newest first: commitments 1 and 2 (completed), and one number
    /// for which of them allow chaining. Missing slots are zeros.
    pub outputs: Vec<[Fr; 3]>,
}

impl RunningState {
    /// Returns the state before the first of `slots` slots.
    pub(crate) fn start(slots: usize) -> Self {
        Self {
            sums: [Fr::ZERO; BRIDGES],
            fees: [Fr::ZERO; ASSETS],
            outputs: vec![[Fr::ZERO; 3]; slots],
        }
    }

    /// Returns the hash of the state, which the two neighbouring segments publish.
    pub(crate) fn digest(&self) -> Fr {
        let mut fields = [&self.sums[..], &self.fees].concat();
        fields.extend(self.outputs.iter().flatten());
        hash_chain(RUNNING_STATE_TAG, &fields)
    }
}

/// The variables that all slots share, and the state after the last slot.
pub(super) struct SharedRows {
    pub(super) suite: Suite,
    pub(super) rollup_id: BitNum,
    pub(super) old_data_root: Num,
    pub(super) data_roots_root: Num,
    pub(super) new_defi_root: Num,
    pub(super) lists: MatchedLists,
    /// Outputs of earlier slots, oldest first.
    pub(super) earlier: Vec<Outputs>,
    /// The current nullifier root; `None` if slots do not insert nullifiers.
    pub(super) null_root: Option<Num>,
    /// Whether the previous slot was a tx.
    pub(super) real: Bit,
}

/// The variables that a slot publishes.
pub(super) struct SlotRows {
    /// The first eight public inputs; commitment 1 of defi deposits is completed.
    pub(super) fields: Vec<Num>,
    /// The client digest; zero for padding.
    pub(super) client: Num,
}

/// One bit for each proof id of a tx. No bit is set for padding.
struct ProofIdBits([Bit; proof_id::ALL.len()]);

impl SharedRows {
    /// Allocates the shared variables. There is no tx yet, and slots insert no
    /// nullifiers until `null_root` is set.
    pub(super) fn open(b: &mut Builder, suite: Suite, w: &TxRollupWitness) -> Self {
        let [old_data_root, data_roots_root, new_defi_root] =
            [w.old_data_root, w.data_roots_root, w.new_defi_root].map(|root| b.alloc(root));
        let rollup_id = b.part("header and lists", |b| {
            let rollup_id = b.alloc(w.rollup_id);
            BitNum::ranged(b, &rollup_id, ROLLUP_ID_BITS)
        });
        let lists = b.part("header and lists", |b| MatchedLists::new(b, w));
        Self {
            suite,
            rollup_id,
            old_data_root,
            data_roots_root,
            new_defi_root,
            lists,
            earlier: Vec::new(),
            null_root: None,
            real: Bit::constant(true),
        }
    }

    /// Continues from a state of earlier segments; returns its digest.
    pub(super) fn resume(&mut self, b: &mut Builder, state: &RunningState) -> Num {
        let mut alloc =
            |values: &[Fr]| -> Vec<Num> { values.iter().map(|value| b.alloc(*value)).collect() };
        self.lists.bridges.sums = alloc(&state.sums);
        self.lists.assets.sums = alloc(&state.fees);
        let outputs: Vec<Vec<Num>> = state.outputs.iter().map(|slot| alloc(slot)).collect();
        b.part("chaining", |b| {
            self.earlier = outputs
                .iter()
                .rev()
                .map(|slot| Outputs::new(b, [slot[0].clone(), slot[1].clone()], &slot[2]))
                .collect();
        });
        self.state(b, outputs.len())
    }

    /// Returns the digest of the state after the slots so far; the state keeps
    /// the outputs of the newest `slots` slots.
    pub(super) fn state(&self, b: &mut Builder, slots: usize) -> Num {
        let MatchedLists { bridges, assets } = &self.lists;
        let mut fields = [&bridges.sums[..], &assets.sums].concat();
        let newest = self.earlier.iter().rev().take(slots);
        fields.extend(newest.flat_map(Outputs::triple));
        let start = Num::constant(start(RUNNING_STATE_TAG, fields.len()));
        b.part("running state", |b| chain_rows(b, start, &fields))
    }

    /// Adds a slot and returns its published variables.
    ///
    /// Slot 0 is a tx. A later slot may be a tx only if the previous slot is;
    /// otherwise its fields are zero.
    pub(super) fn slot(
        &mut self,
        b: &mut Builder,
        at: usize,
        tx: &TxWitness,
        real: bool,
    ) -> SlotRows {
        let mut f = b.part("tx fields", |b| self.fields(b, at, tx, real));
        let kind = b.part("tx fields", |b| ProofIdBits::new(b, &f[0], &self.real));
        b.part("tx fields", |b| {
            let stale = &f[13] - &self.new_defi_root;
            b.zero_where(kind.is(proof_id::CLAIM).num(), &stale);
        });
        let client = b.part("client digests", |b| {
            let digest = kind.client_digest(b, &f);
            b.mul(self.real.num(), &digest)
        });
        let fee = b.part("claim completion", |b| {
            self.complete_claim(b, &kind, &mut f)
        });
        b.part("fees", |b| {
            // Padding matches every asset 0, with a fee of 0.
            let may_repeat = &(&Num::one() - self.real.num()) + kind.is(proof_id::ACCOUNT).num();
            self.lists.pay(b, &f[10], &fee, &may_repeat);
        });
        let tree = (tx, &self.old_data_root);
        enforce_link(b, self.suite, &f[14], &self.earlier, tree);
        b.part("chaining", |b| {
            let commitments = [f[1].clone(), f[2].clone()];
            self.earlier.push(Outputs::new(b, commitments, &f[15]));
        });
        b.part("data root membership", |b| {
            enforce_nonzero_where(b, &f[8], self.real.num());
            let root = root_of(b, self.suite, &f[8], (tx.root_index, &tx.root_siblings));
            let differs = &root - &self.data_roots_root;
            b.zero_where(self.real.num(), &differs);
        });
        if let Some(root) = &mut self.null_root {
            b.part("nullifier tree", |b| {
                for (nullifier, insertion) in f[3..5].iter().zip(&tx.nullifiers) {
                    *root = insert(b, self.suite, root, nullifier, insertion);
                }
            });
        }
        f.truncate(FIELDS_PER_TX);
        SlotRows { fields: f, client }
    }

    fn fields(&mut self, b: &mut Builder, at: usize, tx: &TxWitness, real: bool) -> Vec<Num> {
        let fields: Vec<Num> = tx.fields.iter().map(|field| b.alloc(*field)).collect();
        if at > 0 {
            let before = std::mem::replace(&mut self.real, b.alloc_bit(real));
            if !before.num().is_constant() {
                b.zero_where(self.real.num(), before.not().num());
            }
            for field in &fields {
                b.zero_where(field, self.real.not().num());
            }
        }
        fields
    }

    /// Checks ranges; adds a defi deposit to its bridge and completes its claim
    /// note. Returns the fee that is left for this rollup.
    fn complete_claim(&mut self, b: &mut Builder, kind: &ProofIdBits, f: &mut [Num]) -> Num {
        let fee = BitNum::ranged(b, &f[9], DEPOSIT_BITS);
        BitNum::ranged(b, &f[11], ROLLUP_BRIDGE_BITS);
        BitNum::ranged(b, &f[12], DEPOSIT_BITS);
        let is_deposit = kind.is(proof_id::DEFI_DEPOSIT);
        let mut nonce_bits = self.lists.deposit(b, is_deposit, &f[11], &f[12]);
        let bridge = pack(&nonce_bits);
        nonce_bits.extend_from_slice(&self.rollup_id.bits);
        let scale = Fr::from(1u64 << (nonce_bits.len() - self.rollup_id.bits.len()));
        let nonce = BitNum {
            num: &self.rollup_id.num.scale(scale) + &bridge,
            bits: nonce_bits,
        };
        // The claim gets the larger half of an odd fee.
        let claim_fee = &fee.num - &pack(&fee.bits[1..]);
        let claim_fee = BitNum::implied(b, self.suite, &claim_fee, DEPOSIT_BITS);
        let partial = BitNum::element(b, self.suite, &f[1]);
        let inputs = [&partial, &nonce, &claim_fee];
        let note = hash(b, self.suite, HashIndex::ClaimNote, &inputs);
        f[1] = b.select(is_deposit, &note, &f[1]);
        &fee.num - &b.mul(is_deposit.num(), &claim_fee.num)
    }
}

impl ProofIdBits {
    /// Enforces a proof id of a tx if `real` is set, and else 0.
    fn new(b: &mut Builder, id: &Num, real: &Bit) -> Self {
        let bits = proof_id::ALL.map(|known| is_zero(b, &id.plus(-Fr::from(known))));
        b.equal(&Num::sum(bits.iter().map(Bit::num)), real.num());
        Self(bits)
    }

    fn is(&self, id: u64) -> &Bit {
        &self.0[id as usize - 1]
    }

    /// Returns [`client_digest`](crate::client::client_digest). The proof id
    /// determines the initial value of the chain.
    fn client_digest(&self, b: &mut Builder, f: &[Num]) -> Num {
        let starts = proof_id::ALL.map(|id| {
            let statement = client_statement(id).expect("each proof id is a client's");
            start(statement.facts().tag, CLIENT_FIELDS)
        });
        let start = Num::weighted_sum(starts.into_iter().zip(self.0.iter().map(Bit::num)));
        chain_rows(b, start, f)
    }
}
