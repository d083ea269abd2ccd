//! One rollup on top of a settled world.

use std::collections::HashMap;

use ark_bn254::Fr;
use bytes::Bytes;
use rand::Rng;
use zkwhirl_circuits::published::BRIDGES;
use zkwhirl_job::{
    Sizes,
    reply::{CLAIM_FIELDS, SINGLE_TAIL_BYTES},
};

use super::{
    ClaimJob, InnerJob, RootJob, World, bridges,
    defi::Carried,
    inner::InnerRollups,
    parts::{BridgeInteraction, Deposit, UserNote},
    tx::Tx,
    txs::TxMaker,
};
use crate::users::{TAIL_BYTES, TxError, TxReceiver};

/// An unfinished rollup: it makes claims, then inner rollups, then the root
/// rollup, and is then settled.
#[derive(Debug)]
pub struct Draft {
    world: World,
    sizes: Sizes,
    carried: Carried,
    claims: Vec<(Deposit, BridgeInteraction)>,
    made: Option<MadeInners>,
}

/// The results of the inner rollups, which the root rollup and the settlement use.
#[derive(Debug)]
struct MadeInners {
    /// The deposits, one list per bridge.
    deposits: Vec<Vec<Deposit>>,
    notes: Vec<UserNote>,
    txs: usize,
    /// The root rollup, still without the inner proofs.
    root: RootJob,
}

impl World {
    /// Begins the next rollup: the interactions of the previous rollup enter
    /// the defi tree, and their deposits can be claimed.
    pub fn begin(&self, sizes: Sizes) -> Draft {
        let mut world = self.clone();
        let carried = world.carry();
        Draft {
            world,
            sizes,
            carried,
            claims: Vec::new(),
            made: None,
        }
    }

    /// The bridge at place `k` takes its deposits; one in eight calls fails.
    fn call_bridge(&mut self, k: u32, deposits: Vec<Deposit>) {
        let bridge = deposits[0].bridge;
        let total = deposits.iter().map(|deposit| deposit.value).sum();
        let result = self.rng.gen_ratio(7, 8);
        let nonce = BRIDGES as u32 * self.next_rollup + k;
        let interaction = bridges::interact(bridge, nonce, total, result, &mut self.rng);
        self.finished.push((interaction, deposits));
    }
}

impl Draft {
    /// The id of this rollup.
    pub fn rollup_id(&self) -> u32 {
        self.world.next_rollup
    }

    /// The sizes of this rollup.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Returns up to `limit` claims; the oldest deposits come first.
    pub fn claims(&mut self, limit: usize) -> Vec<ClaimJob> {
        let claimable = &self.world.claimable;
        self.claims = claimable.iter().take(limit).copied().collect();
        self.claims
            .iter()
            .map(|(deposit, interaction)| self.world.claim(deposit, interaction))
            .collect()
    }

    /// Builds the inner rollups of `txs` transactions: first proved claims,
    /// then random transactions, at least one. `replies` are the replies to
    /// [`Draft::claims`], in order. A claim that does not fit is proved again
    /// in the next rollup, against that rollup's roots. `door` has the new
    /// transactions proved and accepts them.
    pub fn inners(
        &mut self,
        txs: usize,
        replies: &[Bytes],
        door: &TxReceiver<'_>,
    ) -> Result<Vec<InnerJob>, TxError> {
        let capacity = (self.sizes.txs_per_inner() * self.sizes.inners_per_root()) as usize;
        let count = txs.clamp(1, capacity);
        let taken = replies.len().min(self.claims.len()).min(count.max(2) - 1);
        let claims = self.claims.iter().zip(replies).take(taken);
        let mut all: Vec<Tx> = claims
            .map(|((deposit, interaction), reply)| {
                let mut tx = self.world.claim_tx(deposit, interaction);
                tx.tail = tail(reply);
                tx
            })
            .collect();
        self.world.claimable.drain(..taken);
        let mut new = TxMaker::new(&mut self.world).txs(count - taken);
        new.iter_mut().try_for_each(|tx| tx.prove(door))?;
        all.extend(new);
        Ok(self.build(&all))
    }

    fn build(&mut self, txs: &[Tx]) -> Vec<InnerJob> {
        let mut bridges = Vec::new();
        for deposit in txs.iter().filter_map(|tx| tx.deposit) {
            let bridge = deposit.bridge.encode();
            if !bridges.contains(&bridge) {
                bridges.push(bridge);
            }
        }
        let mut rollup = InnerRollups {
            sizes: self.sizes,
            deposits: vec![Vec::new(); bridges.len()],
            bridges,
            places: HashMap::new(),
        };
        // The rollup is one aligned subtree; each inner rollup is a subtree of it.
        let whole = 2 * u64::from(self.sizes.rollup_slots());
        let mut start = self.world.data_size.next_multiple_of(whole);
        let jobs: Vec<InnerJob> = txs
            .chunks(self.sizes.txs_per_inner() as usize)
            .map(|txs| {
                let at = u32::try_from(start).expect("the data tree has 2^32 places");
                start += 2 * u64::from(self.sizes.slots());
                self.world.inner(&mut rollup, at, txs)
            })
            .collect();
        self.world.data_size = start;
        let spent = TxMaker::spent_while_pending(txs);
        let place = |commitment: &Fr| rollup.places.get(commitment).copied();
        let mut notes: Vec<UserNote> = txs.iter().flat_map(|tx| tx.notes).flatten().collect();
        notes.retain(|note| !spent(note));
        for note in &mut notes {
            note.index = place(&note.commitment).expect("every output is a leaf");
        }
        for account in self
            .world
            .users
            .iter_mut()
            .flat_map(|user| &mut user.account)
        {
            account.index = account.index.or_else(|| place(&account.note));
        }
        self.made = Some(MadeInners {
            deposits: rollup.deposits,
            notes,
            txs: txs.len(),
            root: self.world.root_rollup(self.sizes, &self.carried, &jobs),
        });
        jobs
    }

    /// Returns the root rollup with the replies to [`Draft::inners`], in order
    /// and unchanged. `None` if the inner rollups have not been built.
    pub fn root(&self, replies: &[Bytes]) -> Option<RootJob> {
        let mut job = self.made.as_ref()?.root.clone();
        job.request.inner_proofs = replies.to_vec();
        Some(job)
    }

    /// Returns the world after this rollup: its data root is an old root now, its
    /// notes can be spent, its bridges have been called.
    ///
    /// A draft without inner rollups leaves the world without a rollup.
    pub fn settle(self) -> World {
        let mut world = self.world;
        let Some(MadeInners {
            deposits, notes, ..
        }) = self.made
        else {
            return world;
        };
        world.notes.extend(notes);
        for (k, deposits) in (0..).zip(deposits) {
            world.call_bridge(k, deposits);
        }
        world.next_rollup += 1;
        world
    }

    /// Number of transactions in the inner rollups.
    pub fn txs(&self) -> usize {
        self.made.as_ref().map_or(0, |made| made.txs)
    }
}

/// Returns the bytes after a claim reply's fields: a native proof unchanged,
/// any other bytes in the length of the original's proof.
fn tail(reply: &Bytes) -> Bytes {
    let fields = (32 * CLAIM_FIELDS).min(reply.len());
    let proof = reply.slice(fields..);
    if proof.len() == SINGLE_TAIL_BYTES {
        return proof;
    }
    let mut tail = proof.to_vec();
    tail.resize(TAIL_BYTES, 0);
    tail.into()
}
