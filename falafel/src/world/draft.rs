//! One rollup on top of a settled world.

use std::collections::HashMap;

use bytes::Bytes;
use rand::Rng;
use zkwhirl_job::{Sizes, reply::CLAIM_FIELDS};

use super::{
    ClaimJob, InnerJob, World, bridges,
    inner::Rollup,
    parts::{Deposit, Interaction, Note},
    txs::{Clients, TAIL_BYTES, Tx},
};

/// A rollup in the making: claims first, then inner rollups, then settled.
#[derive(Debug)]
pub struct Draft {
    world: World,
    sizes: Sizes,
    claims: Vec<(Deposit, Interaction)>,
    inners: Option<Made>,
}

/// What the inner rollups leave for the settlement.
#[derive(Debug)]
struct Made {
    deposits: Vec<Vec<Deposit>>,
    notes: Vec<Note>,
    txs: usize,
}

impl World {
    /// Begins the next rollup: the interactions of the rollup before enter
    /// the defi tree, and their deposits can be claimed.
    pub fn begin(&self, sizes: Sizes) -> Draft {
        let mut world = self.clone();
        let first = 32 * world.next_rollup;
        for (index, (mut interaction, deposits)) in
            (first..).zip(std::mem::take(&mut world.finished))
        {
            interaction.index = index;
            let leaf = interaction.commitment(world.suite);
            world.trees.defi.set(u64::from(index).into(), leaf);
            let claims = deposits.into_iter().map(|deposit| (deposit, interaction));
            world.claimable.extend(claims);
        }
        Draft {
            world,
            sizes,
            claims: Vec::new(),
            inners: None,
        }
    }
}

impl Draft {
    /// The rollup that this is.
    pub fn rollup_id(&self) -> u32 {
        self.world.next_rollup
    }

    /// The sizes that it is made for.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Up to `limit` claims, oldest deposits first.
    pub fn claims(&mut self, limit: usize) -> Vec<ClaimJob> {
        let claimable = &self.world.claimable;
        self.claims = claimable.iter().take(limit).copied().collect();
        self.claims
            .iter()
            .map(|(deposit, interaction)| self.world.claim(deposit, interaction))
            .collect()
    }

    /// The inner rollups of `txs` transactions: proved claims, but for one
    /// place that is left for a new transaction, then random ones. `replies`
    /// are those to [`Draft::claims`], in order; a claim that finds no place
    /// is proved again in the next rollup, against the roots of then.
    pub fn inners(&mut self, txs: usize, replies: &[Bytes]) -> Vec<InnerJob> {
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
        all.extend(Clients::new(&mut self.world).txs(count - taken));
        self.build(&all)
    }

    fn build(&mut self, txs: &[Tx]) -> Vec<InnerJob> {
        let mut bridges = Vec::new();
        for deposit in txs.iter().filter_map(|tx| tx.deposit) {
            let bridge = deposit.bridge.encode();
            if !bridges.contains(&bridge) {
                bridges.push(bridge);
            }
        }
        let mut rollup = Rollup {
            sizes: self.sizes,
            deposits: vec![Vec::new(); bridges.len()],
            bridges,
            places: HashMap::new(),
        };
        // The whole rollup is one aligned subtree, each inner one of its own.
        let whole = 2 * u64::from(self.sizes.rollup_slots());
        let mut start = self.world.data_size.next_multiple_of(whole);
        let jobs = txs
            .chunks(self.sizes.txs_per_inner() as usize)
            .map(|txs| {
                let at = u32::try_from(start).expect("the data tree has 2^32 places");
                start += 2 * u64::from(self.sizes.slots());
                self.world.inner(&mut rollup, at, txs)
            })
            .collect();
        self.world.data_size = start;
        let spent = Clients::spent_while_pending(txs);
        let notes = txs.iter().flat_map(|tx| tx.notes).flatten();
        self.inners = Some(Made {
            deposits: rollup.deposits,
            notes: notes.filter(|note| !spent(note)).collect(),
            txs: txs.len(),
        });
        jobs
    }

    /// Transactions of the inner rollups.
    pub fn txs(&self) -> usize {
        self.inners.as_ref().map_or(0, |made| made.txs)
    }

    /// The world after this rollup: its data root is an old one now, its
    /// notes can be spent, its bridges have been called.
    ///
    /// A draft without inner rollups leaves the world without a rollup.
    pub fn settle(self) -> World {
        let mut world = self.world;
        let Some(made) = self.inners else {
            return world;
        };
        let rollup = world.next_rollup;
        world.notes.extend(made.notes);
        for (k, deposits) in (0..).zip(made.deposits) {
            let bridge = deposits[0].bridge;
            let total = deposits.iter().map(|deposit| deposit.value).sum();
            let result = world.rng.gen_ratio(7, 8);
            let nonce = 32 * rollup + k;
            let interaction = bridges::interact(bridge, nonce, total, result, &mut world.rng);
            world.finished.push((interaction, deposits));
        }
        let root = world.trees.data.root();
        world.trees.roots.set(u64::from(rollup + 1).into(), root);
        world.next_rollup += 1;
        world
    }
}

/// What follows a claim reply's fields, in the length of a client proof's
/// tail: a native proof is shorter than the original's, and is filled up.
fn tail(reply: &Bytes) -> Bytes {
    let proof = reply.get(32 * CLAIM_FIELDS..).unwrap_or_default();
    let mut tail = proof[..proof.len().min(TAIL_BYTES)].to_vec();
    tail.resize(TAIL_BYTES, 0);
    tail.into()
}
