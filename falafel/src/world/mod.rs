//! A small world state whose requests are true statements.
//!
//! A [`World`] is the settled state. A [`Draft`] is one rollup on top of a
//! world: it makes claim requests, then tx-rollup requests, then the root
//! rollup's request, each with the fields that an honest reply publishes. The
//! draft becomes the next world when the rollup is settled. An interrupted
//! draft is dropped; the next draft of the same world makes the same requests.

mod bridges;
mod broadcast;
mod claims;
mod defi;
mod draft;
mod inner;
mod parts;
mod payment;
mod root;
#[cfg(test)]
mod tests;
mod totals;
mod tx;
mod txs;

use ark_bn254::Fr;
use parts::{BridgeInteraction, Deposit, UserNote, WorldUser};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zkwhirl_circuits::{Suite, tree::MerkleTree};
use zkwhirl_job::{
    Word,
    request::{DATA_TREE_DEPTH, DEFI_TREE_DEPTH, NULL_TREE_DEPTH, ROOTS_TREE_DEPTH},
};

pub use broadcast::{BroadcastMismatch, ExpectedBroadcast};
pub use claims::ClaimJob;
pub use draft::Draft;
pub use inner::InnerJob;
pub use root::RootJob;

const USERS: usize = 4;
const NOTES_PER_USER: usize = 4;

/// The settled state: trees, users' notes, and deposits to claim.
#[derive(Debug, Clone)]
pub struct World {
    suite: Suite,
    rng: ChaCha20Rng,
    users: Vec<WorldUser>,
    /// The notes that users can spend.
    notes: Vec<UserNote>,
    /// The deposits whose interaction is finished.
    claimable: Vec<(Deposit, BridgeInteraction)>,
    /// The interactions of the previous rollup, with their deposits. The next
    /// rollup carries their notes into the defi tree.
    finished: Vec<(BridgeInteraction, Vec<Deposit>)>,
    trees: Trees,
    next_rollup: u32,
    /// The first index of the data tree that was never used.
    data_size: u64,
    /// The beneficiary of the rollups: an address of 160 bits.
    beneficiary: Word,
}

#[derive(Debug, Clone)]
struct Trees {
    data: MerkleTree,
    null: MerkleTree,
    roots: MerkleTree,
    defi: MerkleTree,
}

impl World {
    /// Makes a world after a rollup 0 in which users got notes and made
    /// `claims` defi deposits, so that the first pipeline starts with claims.
    pub fn genesis(suite: Suite, seed: u64, claims: usize) -> Self {
        let tree = |depth: u32| MerkleTree::new(suite, depth as usize);
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let users = (0..USERS)
            .map(|_| WorldUser::random(suite, &mut rng))
            .collect();
        let mut world = Self {
            suite,
            rng,
            users,
            notes: Vec::new(),
            claimable: Vec::new(),
            finished: Vec::new(),
            trees: Trees {
                data: tree(DATA_TREE_DEPTH),
                null: tree(NULL_TREE_DEPTH),
                roots: tree(ROOTS_TREE_DEPTH),
                defi: tree(DEFI_TREE_DEPTH),
            },
            next_rollup: 1,
            data_size: 0,
            beneficiary: Word::ZERO,
        };
        world.first_notes();
        world.first_deposits(claims);
        world.rng.fill(&mut world.beneficiary.0[12..]);
        let empty = suite.empty_root(DATA_TREE_DEPTH as usize);
        world.trees.roots.set(0.into(), empty);
        let settled = world.trees.data.root();
        world.trees.roots.set(1.into(), settled);
        world
    }

    /// The id of the next rollup to be made.
    pub fn next_rollup(&self) -> u32 {
        self.next_rollup
    }

    /// Number of deposits that the next draft can claim.
    pub fn claims(&self) -> usize {
        let finished: usize = self.finished.iter().map(|(_, d)| d.len()).sum();
        self.claimable.len() + finished
    }

    fn first_notes(&mut self) {
        for place in 0..USERS * NOTES_PER_USER {
            let owner = place % USERS;
            let amount = (
                self.rng.gen_range(1_000_000..10_000_000),
                place as u32 % bridges::ASSETS,
            );
            let partial = self.users[owner].partial(&mut self.rng);
            let nullifier = parts::random_element(&mut self.rng);
            let mut note = UserNote::new(self.suite, owner, amount, partial, nullifier);
            note.index = self.append(note.commitment);
            self.notes.push(note);
        }
    }

    fn first_deposits(&mut self, claims: usize) {
        let kinds = bridges::of_genesis();
        let mut deposits: Vec<Vec<Deposit>> = vec![Vec::new(); kinds.len().min(claims)];
        for place in 0..claims {
            let (k, owner) = (place % kinds.len(), place % USERS);
            let mut deposit = Deposit {
                owner,
                value: self.rng.gen_range(1..1_000_000),
                bridge: kinds[k].0,
                value_partial: self.users[owner].partial(&mut self.rng),
                input_nullifier: parts::random_element(&mut self.rng),
                nonce: k as u32,
                fee: self.rng.gen_range(0..100),
                index: 0,
            };
            deposit.index = self.append(deposit.commitment(self.suite));
            deposits[k].push(deposit);
        }
        for (k, deposits) in deposits.into_iter().enumerate() {
            let (bridge, result) = kinds[k];
            let total = deposits.iter().map(|deposit| deposit.value).sum();
            let interaction = bridges::interact(bridge, k as u32, total, result, &mut self.rng);
            self.finished.push((interaction, deposits));
        }
    }

    /// Appends a leaf to the data tree and returns its index; only the genesis does this.
    fn append(&mut self, leaf: Fr) -> u32 {
        let index = u32::try_from(self.data_size).expect("the genesis is small");
        self.trees.data.set(u64::from(index).into(), leaf);
        self.data_size += 1;
        index
    }
}
