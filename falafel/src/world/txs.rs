//! Random transactions of the world's users.

use ark_bn254::Fr;
use bytes::Bytes;
use rand::{Rng, RngCore};
use zkwhirl_circuits::Suite;
use zkwhirl_job::request::{CLIENT_PROOF_BYTES, ClientProof, field};

use super::{
    World, bridges,
    parts::{Deposit, Note, random_element, word},
};

/// Bytes of a client proof behind its public inputs.
pub(super) const TAIL_BYTES: usize = CLIENT_PROOF_BYTES as usize - 16 * 32;
/// What stands in place of a client's PLONK proof.
const MARK: &[u8] = b"simulated client proof, proves nothing; ";

/// A transaction on its way into a rollup.
#[derive(Debug, Clone)]
pub(super) struct Tx {
    /// The public inputs; see [`field`].
    pub(super) fields: [Fr; 16],
    pub(super) tail: Bytes,
    /// The place of its data root in the tree of data roots.
    pub(super) root_index: u32,
    /// The notes that it makes, in the places of its commitments.
    pub(super) notes: [Option<Note>; 2],
    pub(super) deposit: Option<Deposit>,
}

/// Makes transactions one after the other.
pub(super) struct Clients<'a> {
    world: &'a mut World,
    /// Notes that a transaction here made and a later one may spend.
    pending: Vec<Note>,
}

/// What a transaction spends.
struct Spent {
    owner: usize,
    asset: u32,
    value: u64,
    nullifiers: [Fr; 2],
    /// The pending commitment that it links back to, or zero.
    link: Fr,
}

impl Tx {
    pub(super) fn new(proof_id: u64, root_index: u32, root: Fr) -> Self {
        let mut fields = [Fr::from(0u64); 16];
        fields[field::PROOF_ID] = Fr::from(proof_id);
        fields[field::DATA_ROOT] = root;
        let tail: Vec<u8> = MARK.iter().copied().cycle().take(TAIL_BYTES).collect();
        Self {
            fields,
            tail: tail.into(),
            root_index,
            notes: [None; 2],
            deposit: None,
        }
    }

    /// As it stands in a request.
    pub(super) fn wire(&self) -> ClientProof {
        ClientProof {
            public_inputs: self.fields.map(|value| word(&value)),
            tail: self.tail.clone(),
        }
    }
}

impl<'a> Clients<'a> {
    pub(super) fn new(world: &'a mut World) -> Self {
        Self {
            world,
            pending: Vec::new(),
        }
    }

    /// `count` transactions, a defi deposit first, so that the next pipeline
    /// has something to claim.
    pub(super) fn txs(&mut self, count: usize) -> Vec<Tx> {
        (0..count)
            .map(|place| {
                let choice = self.world.rng.gen_range(0..100);
                let tx = match if place == 0 { 40 } else { choice } {
                    0..20 => None,
                    20..60 => self.defi_deposit(),
                    60..75 => self.withdrawal(),
                    75..80 => self.registration(),
                    _ => self.send(),
                };
                tx.unwrap_or_else(|| self.deposit())
            })
            .collect()
    }

    fn suite(&self) -> Suite {
        self.world.suite
    }

    fn tx(&mut self, proof_id: u64) -> Tx {
        // Any settled data root is good; mostly it is the last one.
        let last = self.world.next_rollup;
        let index = if self.world.rng.gen_ratio(1, 4) {
            self.world.rng.gen_range(0..=last)
        } else {
            last
        };
        let root = self.world.trees.roots.leaf(u64::from(index).into());
        Tx::new(proof_id, index, root)
    }

    /// Public value becomes two notes.
    fn deposit(&mut self) -> Tx {
        let owner = self.world.rng.gen_range(0..self.world.users.len());
        let asset = self.world.rng.gen_range(0..bridges::ASSETS);
        let value = self.world.rng.gen_range(1000..1_000_000);
        let fee = self.fee(asset, value);
        let mut tx = self.tx(1);
        let spent = Spent {
            owner,
            asset,
            value: value - fee,
            nullifiers: [self.no_note(owner), self.no_note(owner)],
            link: Fr::from(0u64),
        };
        self.public(&mut tx, &spent, value);
        let kept = spent.value / 3;
        self.outputs(&mut tx, &spent, (owner, spent.value - kept), kept);
        self.settle_fee(&mut tx, asset, fee);
        tx
    }

    /// Notes become public value and change.
    fn withdrawal(&mut self) -> Option<Tx> {
        let (spent, fee) = self.spend(|_| true)?;
        let value = self.world.rng.gen_range(1..=spent.value);
        let mut tx = self.tx(2);
        self.public(&mut tx, &spent, value);
        let change = spent.value - value;
        self.outputs(&mut tx, &spent, (spent.owner, 0), change);
        self.settle_fee(&mut tx, spent.asset, fee);
        Some(tx)
    }

    /// Notes become a note of somebody's and change.
    fn send(&mut self) -> Option<Tx> {
        let (spent, fee) = self.spend(|_| true)?;
        let value = self.world.rng.gen_range(1..=spent.value);
        let to = self.world.rng.gen_range(0..self.world.users.len());
        let mut tx = self.tx(3);
        self.outputs(&mut tx, &spent, (to, value), spent.value - value);
        self.settle_fee(&mut tx, spent.asset, fee);
        Some(tx)
    }

    /// Notes become a deposit into a bridge and change.
    fn defi_deposit(&mut self) -> Option<Tx> {
        let open = bridges::open();
        let into = |asset| open.iter().filter(move |bridge| bridge.input_a == asset);
        let (spent, fee) = self.spend(|note| into(note.asset).next().is_some())?;
        let fits: Vec<_> = into(spent.asset).collect();
        let bridge = *fits[self.world.rng.gen_range(0..fits.len())];
        let value = self.world.rng.gen_range(1..=spent.value);
        let mut tx = self.tx(5);
        self.outputs(&mut tx, &spent, (spent.owner, 0), spent.value - value);
        let user = &self.world.users[spent.owner];
        let deposit = Deposit {
            owner: spent.owner,
            value,
            bridge,
            value_partial: user.partial(self.world.suite, &mut self.world.rng),
            input_nullifier: spent.nullifiers[0],
            nonce: 0,
            // The rollup keeps the smaller half of the fee.
            fee: fee - fee / 2,
            index: 0,
        };
        tx.fields[field::NOTE_COMMITMENT1] = deposit.partial(self.suite());
        tx.fields[field::BRIDGE_CALL_DATA] = bridge.encode();
        tx.fields[field::DEFI_DEPOSIT_VALUE] = Fr::from(value);
        tx.notes[0] = None;
        tx.deposit = Some(deposit);
        self.settle_fee(&mut tx, spent.asset, fee);
        Some(tx)
    }

    /// A user registers an account: two account notes and two nullifiers.
    fn registration(&mut self) -> Option<Tx> {
        let place = self.world.users.iter().position(|user| !user.registered)?;
        self.world.users[place].registered = true;
        let key = self.world.users[place].public.0;
        let mut alias = [0; 32];
        self.world.rng.fill_bytes(&mut alias[4..]);
        let alias = zkwhirl_circuits::field::reduce(&alias);
        let suite = self.suite();
        let mut tx = self.tx(4);
        for output in [field::NOTE_COMMITMENT1, field::NOTE_COMMITMENT2] {
            let signing_key = random_element(&mut self.world.rng);
            tx.fields[output] = suite.account_note(alias, key, signing_key);
        }
        tx.fields[field::NULLIFIER1] = suite.alias_nullifier(alias);
        tx.fields[field::NULLIFIER2] = suite.public_key_nullifier(key);
        Some(tx)
    }

    /// Spends a wanted pending note, or one or two wanted settled ones of one
    /// owner and asset. The value is what is left after the fee.
    fn spend(&mut self, wanted: impl Fn(&Note) -> bool) -> Option<(Spent, u64)> {
        let pending = self.pending.last().is_some_and(&wanted);
        let (notes, link) = if pending && self.world.rng.gen_ratio(1, 2) {
            let pending = self.pending.pop()?;
            (vec![pending], pending.commitment)
        } else {
            (self.settled(wanted)?, Fr::from(0u64))
        };
        let Note { owner, asset, .. } = notes[0];
        let value = notes.iter().map(|note| note.value).sum();
        let fee = self.fee(asset, value);
        let mut nullifiers = notes.iter().map(|note| {
            let key = &self.world.users[owner].key;
            self.world.suite.value_nullifier(note.commitment, key, true)
        });
        let (first, second) = (nullifiers.next(), nullifiers.next());
        let first = first.unwrap_or_else(|| self.no_note(owner));
        let second = second.unwrap_or_else(|| self.no_note(owner));
        let spent = Spent {
            owner,
            asset,
            value: value - fee,
            nullifiers: [first, second],
            link,
        };
        Some((spent, fee))
    }

    /// Takes one or two settled notes of one owner and one real asset.
    fn settled(&mut self, wanted: impl Fn(&Note) -> bool) -> Option<Vec<Note>> {
        let real = |note: &Note| note.asset < bridges::ASSETS && note.value > 100;
        let worth = |note: &Note| real(note) && wanted(note);
        let notes = &mut self.world.notes;
        let first = notes.iter().position(worth)?;
        let first = notes.remove(first);
        let same = |note: &Note| (note.owner, note.asset) == (first.owner, first.asset);
        let second = notes.iter().position(same);
        let second = second.filter(|_| self.world.rng.gen_ratio(1, 3));
        let second = second.map(|place| notes.remove(place));
        Some(std::iter::once(first).chain(second).collect())
    }

    /// The nullifier of an input that is not used.
    fn no_note(&mut self, owner: usize) -> Fr {
        let commitment = random_element(&mut self.world.rng);
        let key = &self.world.users[owner].key;
        self.world.suite.value_nullifier(commitment, key, false)
    }

    fn fee(&mut self, asset: u32, value: u64) -> u64 {
        if asset >= bridges::ASSETS {
            return 0;
        }
        self.world.rng.gen_range(0..=value.min(50) / 2)
    }

    fn public(&self, tx: &mut Tx, spent: &Spent, value: u64) {
        tx.fields[field::PUBLIC_VALUE] = Fr::from(value);
        tx.fields[field::PUBLIC_OWNER] = self.world.users[spent.owner].address;
        tx.fields[field::PUBLIC_ASSET_ID] = Fr::from(spent.asset);
    }

    fn settle_fee(&self, tx: &mut Tx, asset: u32, fee: u64) {
        tx.fields[field::TX_FEE] = Fr::from(fee);
        tx.fields[field::TX_FEE_ASSET_ID] = Fr::from(asset);
    }

    /// Two new notes: one of whoever is paid, one of change.
    fn outputs(&mut self, tx: &mut Tx, spent: &Spent, paid: (usize, u64), change: u64) {
        let suite = self.suite();
        for (place, (owner, value)) in [paid, (spent.owner, change)].into_iter().enumerate() {
            let partial = self.world.users[owner].partial(suite, &mut self.world.rng);
            let amount = (value, spent.asset);
            let note = Note::new(suite, owner, amount, partial, spent.nullifiers[place]);
            tx.fields[field::NOTE_COMMITMENT1 + place] = note.commitment;
            tx.notes[place] = Some(note);
        }
        tx.fields[field::NULLIFIER1] = spent.nullifiers[0];
        tx.fields[field::NULLIFIER2] = spent.nullifiers[1];
        tx.fields[field::BACKWARD_LINK] = spent.link;
        // Now and then the change may be spent before it is settled. A
        // pending note is no settled one, whether or not it is spent.
        if change > 100 && self.world.rng.gen_ratio(1, 2) {
            tx.fields[field::ALLOW_CHAIN] = Fr::from(2u64);
            self.pending.extend(tx.notes[1]);
        }
    }

    /// The notes that were made here and spent here.
    pub(super) fn spent_while_pending(txs: &[Tx]) -> impl Fn(&Note) -> bool {
        let links: Vec<Fr> = txs
            .iter()
            .map(|tx| tx.fields[field::BACKWARD_LINK])
            .collect();
        move |note| links.contains(&note.commitment)
    }
}
