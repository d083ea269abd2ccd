//! Random transactions of the world's users.

use ark_bn254::Fr;
use rand::{Rng, RngCore};
use zkwhirl_circuits::{
    Signer, Suite, account::AccountWitness, client::ClientWitness, proof_id, schnorr::PrivateKey,
};
use zkwhirl_job::request::field;

use super::{
    World, bridges,
    parts::{UserAccount, UserNote, private_key},
    payment::UserPayment,
    tx::Tx,
};

/// Makes transactions one after the other.
pub(super) struct TxMaker<'a> {
    world: &'a mut World,
    /// Notes of earlier transactions of this maker that a later transaction may spend.
    pending: Vec<UserNote>,
}

impl<'a> TxMaker<'a> {
    pub(super) fn new(world: &'a mut World) -> Self {
        Self {
            world,
            pending: Vec::new(),
        }
    }

    /// Makes `count` transactions. The first is a defi deposit, so that the
    /// next pipeline has a claim.
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

    /// Deposits public value into two notes.
    fn deposit(&mut self) -> Tx {
        let rng = &mut self.world.rng;
        let owner = rng.gen_range(0..self.world.users.len());
        let asset = rng.gen_range(0..bridges::ASSETS);
        let public = rng.gen_range(1000..1_000_000);
        let fee = self.fee(asset, public);
        let change = (public - fee) / 3;
        self.pay(UserPayment {
            proof_id: proof_id::DEPOSIT,
            owner,
            asset,
            fee,
            public,
            paid: (owner, public - fee - change),
            change,
            ..UserPayment::default()
        })
    }

    /// Withdraws notes to public value and change; `None` if no note can be spent.
    fn withdrawal(&mut self) -> Option<Tx> {
        let (spent, value) = self.spend(|_| true)?;
        let public = self.world.rng.gen_range(1..=value);
        Some(self.pay(UserPayment {
            proof_id: proof_id::WITHDRAW,
            public,
            paid: (spent.owner, 0),
            change: value - public,
            ..spent
        }))
    }

    /// Sends notes to any user, with change; `None` if no note can be spent.
    fn send(&mut self) -> Option<Tx> {
        let (spent, value) = self.spend(|_| true)?;
        let sent = self.world.rng.gen_range(1..=value);
        let to = self.world.rng.gen_range(0..self.world.users.len());
        Some(self.pay(UserPayment {
            proof_id: proof_id::SEND,
            paid: (to, sent),
            change: value - sent,
            ..spent
        }))
    }

    /// Deposits notes into a bridge, with change; `None` if no note can be spent.
    fn defi_deposit(&mut self) -> Option<Tx> {
        let open = bridges::open();
        let into = |asset| open.iter().filter(move |bridge| bridge.input_a == asset);
        let (spent, value) = self.spend(|note| into(note.asset).next().is_some())?;
        let fits: Vec<_> = into(spent.asset).collect();
        let bridge = *fits[self.world.rng.gen_range(0..fits.len())];
        let deposit = self.world.rng.gen_range(1..=value);
        Some(self.pay(UserPayment {
            proof_id: proof_id::DEFI_DEPOSIT,
            bridge: Some(bridge),
            deposit,
            paid: (spent.owner, 0),
            change: value - deposit,
            ..spent
        }))
    }

    /// Registers an account with two signing keys for a user who has no account.
    fn registration(&mut self) -> Option<Tx> {
        let world = &mut *self.world;
        let place = world.users.iter().position(|user| user.account.is_none())?;
        let mut alias = [0; 32];
        // An alias has 224 bits.
        world.rng.fill_bytes(&mut alias[4..]);
        let alias = zkwhirl_circuits::field::reduce(&alias);
        let keys = [private_key(&mut world.rng), private_key(&mut world.rng)];
        let (suite, account_key) = (world.suite, world.users[place].public.0);
        let new_keys = keys.map(|key| suite.owner_key(&key).0);
        let notes = new_keys.map(|key| suite.account_note(alias, account_key, key));
        let mut tx = world.tx(proof_id::ACCOUNT, false);
        tx.fields[field::NOTE_COMMITMENT1] = notes[0];
        tx.fields[field::NOTE_COMMITMENT2] = notes[1];
        tx.fields[field::NULLIFIER1] = suite.alias_nullifier(alias);
        tx.fields[field::NULLIFIER2] = suite.public_key_nullifier(account_key);
        if suite == Suite::Poseidon {
            let own = PrivateKey::reduce(&world.users[place].key);
            let mut witness = AccountWitness {
                data_root: tx.fields[field::DATA_ROOT],
                create: true,
                account_key_x: account_key,
                new_keys,
                signer: Signer {
                    alias_hash: alias,
                    ..Signer::unregistered(&own.public())
                },
            };
            witness.sign(&own);
            tx.witness = Some(ClientWitness::Account(Box::new(witness)));
        }
        world.users[place].account = Some(UserAccount {
            alias,
            signing_key: keys[0],
            note: notes[0],
            index: None,
        });
        Some(tx)
    }

    /// Makes the transaction; its change may sometimes be spent before settlement.
    /// A pending note does not enter the settled notes, whether or not it is spent.
    fn pay(&mut self, mut payment: UserPayment) -> Tx {
        payment.chain = payment.change > 100 && self.world.rng.gen_ratio(1, 2);
        let tx = self.world.pay(&payment);
        if payment.chain {
            self.pending.extend(tx.notes[1]);
        }
        tx
    }

    /// Spends a wanted pending note, or one or two wanted settled notes of one
    /// owner and asset. Returns a payment of these notes with no outputs yet,
    /// and the notes' value after the fee.
    fn spend(&mut self, wanted: impl Fn(&UserNote) -> bool) -> Option<(UserPayment, u64)> {
        let pending = self.pending.last().is_some_and(&wanted);
        let (notes, link) = if pending && self.world.rng.gen_ratio(1, 2) {
            let pending = self.pending.pop()?;
            (vec![pending], pending.commitment)
        } else {
            (self.settled(wanted)?, Fr::from(0u64))
        };
        let UserNote { owner, asset, .. } = notes[0];
        let value = notes.iter().map(|note| note.value).sum();
        let fee = self.fee(asset, value);
        let payment = UserPayment {
            owner,
            asset,
            fee,
            notes,
            link,
            ..UserPayment::default()
        };
        Some((payment, value - fee))
    }

    /// Takes one or two settled notes of one owner and one real asset. Either
    /// all or none of them need the account.
    fn settled(&mut self, wanted: impl Fn(&UserNote) -> bool) -> Option<Vec<UserNote>> {
        let real = |note: &UserNote| note.asset < bridges::ASSETS && note.value > 100;
        let worth = |note: &UserNote| real(note) && wanted(note);
        let notes = &mut self.world.notes;
        let first = notes.iter().position(worth)?;
        let first = notes.remove(first);
        let kind = |note: &UserNote| (note.owner, note.asset, note.partial.account_required);
        let second = notes.iter().position(|note| kind(note) == kind(&first));
        let second = second.filter(|_| self.world.rng.gen_ratio(1, 3));
        let second = second.map(|place| notes.remove(place));
        Some(std::iter::once(first).chain(second).collect())
    }

    fn fee(&mut self, asset: u32, value: u64) -> u64 {
        if asset >= bridges::ASSETS {
            return 0;
        }
        self.world.rng.gen_range(0..=value.min(50) / 2)
    }

    /// Returns the test whether a note was created and spent by `txs`.
    pub(super) fn spent_while_pending(txs: &[Tx]) -> impl Fn(&UserNote) -> bool {
        let links: Vec<Fr> = txs
            .iter()
            .map(|tx| tx.fields[field::BACKWARD_LINK])
            .collect();
        move |note| links.contains(&note.commitment)
    }
}
