//! One tx, or padding, in rows.

use ark_bn254::Fr;

use super::bridges::Lists;
use super::chain::{Outputs, enforce_link, root_of};
use super::nullifier::insert;
use super::{TxWitness, proof_id};
use crate::claim::DEPOSIT_BITS;
use crate::gadgets::bits::{enforce_nonzero_iff, half, is_zero};
use crate::gadgets::hash::{Word, hash};
use crate::published::{FIELDS_PER_TX, ROLLUP_BRIDGE_BITS};
use crate::r1cs::{Bit, Builder, Num};
use crate::suite::{HashIndex, Suite};

/// What all slots share, and what they hand on to the next.
pub(super) struct Rollup {
    pub(super) suite: Suite,
    pub(super) rollup_id: Word,
    pub(super) old_data_root: Num,
    pub(super) data_roots_root: Num,
    pub(super) new_defi_root: Num,
    pub(super) lists: Lists,
    pub(super) earlier: Vec<Outputs>,
    pub(super) null_root: Num,
    /// Whether the slot before was a tx.
    pub(super) real: Bit,
}

/// Which rules a tx has.
struct Kind {
    is_account: Bit,
    is_deposit: Bit,
    is_claim: Bit,
}

impl Rollup {
    /// Adds a slot and gives its published fields.
    ///
    /// Slot 0 is a tx; another one may be only if the slot before is, and its
    /// fields are zero if it is not.
    pub(super) fn slot(
        &mut self,
        b: &mut Builder,
        at: usize,
        tx: &TxWitness,
        real: bool,
    ) -> Vec<Num> {
        let mut f = b.part("tx fields", |b| self.fields(b, at, tx, real));
        let kind = b.part("tx fields", |b| Kind::new(b, &f[0]));
        b.part("tx fields", |b| {
            let stale = &f[13] - &self.new_defi_root;
            b.enforce(kind.is_claim.num(), &stale, &Num::zero());
        });
        let fee = b.part("claim completion", |b| {
            self.complete_claim(b, &kind, &mut f)
        });
        b.part("fees", |b| {
            // Padding matches any asset 0, with a fee of 0.
            let may_repeat = &(&Num::one() - self.real.num()) + kind.is_account.num();
            self.lists.pay(b, &f[10], &fee, &may_repeat);
        });
        enforce_link(
            b,
            self.suite,
            &f[14],
            &self.earlier,
            (tx, &self.old_data_root),
        );
        b.part("chaining", |b| {
            let commitments = [f[1].clone(), f[2].clone()];
            self.earlier.push(Outputs::new(b, commitments, &f[15]));
        });
        b.part("data root membership", |b| {
            enforce_nonzero_iff(b, &f[8], self.real.num());
            let root = root_of(b, self.suite, &f[8], (tx.root_index, &tx.root_siblings));
            b.enforce(
                self.real.num(),
                &(&root - &self.data_roots_root),
                &Num::zero(),
            );
        });
        b.part("nullifier tree", |b| {
            for (nullifier, insertion) in f[3..5].iter().zip(&tx.nullifiers) {
                self.null_root = insert(b, self.suite, &self.null_root, nullifier, insertion);
            }
        });
        f.truncate(FIELDS_PER_TX);
        f
    }

    fn fields(&mut self, b: &mut Builder, at: usize, tx: &TxWitness, real: bool) -> Vec<Num> {
        let fields: Vec<Num> = tx.fields.iter().map(|field| b.alloc(*field)).collect();
        if at > 0 {
            let before = std::mem::replace(&mut self.real, b.alloc_bit(real));
            if !before.num().is_constant() {
                b.enforce(self.real.num(), before.not().num(), &Num::zero());
            }
            for field in &fields {
                b.enforce(field, self.real.not().num(), &Num::zero());
            }
        }
        fields
    }

    /// Checks ranges; for a defi deposit, adds it to its bridge and completes
    /// its claim note. Gives the fee that is left for this rollup.
    fn complete_claim(&mut self, b: &mut Builder, kind: &Kind, f: &mut [Num]) -> Num {
        let fee = Word::ranged(b, &f[9], DEPOSIT_BITS);
        Word::ranged(b, &f[11], ROLLUP_BRIDGE_BITS);
        Word::ranged(b, &f[12], DEPOSIT_BITS);
        let mut nonce_bits = self.lists.deposit(b, &kind.is_deposit, &f[11], &f[12]);
        let bridge = crate::gadgets::bits::pack(&nonce_bits);
        nonce_bits.extend_from_slice(&self.rollup_id.bits);
        let scale = Fr::from(1u64 << (nonce_bits.len() - self.rollup_id.bits.len()));
        let nonce = Word::packed(&self.rollup_id.num.scale(scale) + &bridge, nonce_bits);
        // The claim gets the larger half.
        let claim_fee = &fee.num - &half(&fee.bits);
        let claim_fee = Word::implied(b, self.suite, &claim_fee, DEPOSIT_BITS);
        let partial = Word::element(b, self.suite, &f[1]);
        let note = hash(
            b,
            self.suite,
            HashIndex::ClaimNote,
            &[&partial, &nonce, &claim_fee],
        );
        f[1] = b.select(&kind.is_deposit, &note, &f[1]);
        &fee.num - &b.mul(kind.is_deposit.num(), &claim_fee.num)
    }
}

impl Kind {
    fn new(b: &mut Builder, id: &Num) -> Self {
        let mut is = |kind: u64| is_zero(b, &id.plus(-Fr::from(kind)));
        Self {
            is_account: is(proof_id::ACCOUNT),
            is_deposit: is(proof_id::DEFI_DEPOSIT),
            is_claim: is(proof_id::CLAIM),
        }
    }
}
