//! The rules of a join-split as rows (constraints).

use ark_bn254::Fr;
use zkwhirl_job::Topic;

use super::rules::{published, violations};
use super::{InputNote, JoinSplit, JoinSplitWitness, OWNER_BITS, OutputNote};
use crate::bridge::{ASSET_BITS, VIRTUAL_BIT};
use crate::error::StatementError;
use crate::gadgets::bits::{decompose, is_equal, is_zero};
use crate::gadgets::bridge::BridgeRows;
use crate::gadgets::edwards::EdwardsPoint;
use crate::gadgets::hash::tagged;
use crate::gadgets::integer::AMOUNT_BITS;
use crate::gadgets::merkle::root_of;
use crate::gadgets::schnorr::{enforce_signature, public_key};
use crate::notes::DEPOSIT_BITS;
use crate::proof_id;
use crate::published::{CLIENT_FIELDS, Published, publish};
use crate::r1cs::{Bit, Builder, Num};
use crate::rule::Violation;
use crate::statement::definition::{self, Statement};
use crate::suite::{HashIndex, Suite};

/// The kind of payment, in the form that the other rules need.
struct PaymentKind {
    id: Num,
    is_deposit: Bit,
    is_withdrawal: Bit,
    is_defi: Bit,
}

/// The public values of a tx.
struct PublicValues {
    value: Num,
    owner: Num,
    asset: Num,
    fee: Num,
    deposit: Num,
}

/// The owner of the spent notes.
struct Spender {
    owner: EdwardsPoint,
    /// The hash of the private key, which the nullifiers contain.
    nullifier_key: Num,
    required: Bit,
}

/// A spent note.
struct SpentNote {
    in_use: Bit,
    value: Num,
    commitment: Num,
    nullifier: Num,
}

/// An output note before its input nullifier is added.
struct NewNote {
    partial: Num,
    value: Num,
    chain: Bit,
}

impl Statement for JoinSplit {
    type Witness = JoinSplitWitness;

    const NAME: &'static str = "join-split";
    const TAG: u64 = 3;
    const TOPIC: Topic = Topic::Outer;
    const FIELDS: usize = CLIENT_FIELDS;
    const SUITES: &'static [Suite] = &[Suite::Poseidon];

    fn violations(self, _: Suite, w: &JoinSplitWitness) -> Vec<Violation> {
        violations(w)
    }

    fn enforce(self, b: &mut Builder, _: Suite, w: &JoinSplitWitness) {
        let kind = b.part("kind", |b| kind(b, w));
        let asset = b.part("ranges", |b| ranged(b, w.asset, ASSET_BITS));
        let public = b.part("public values", |b| public(b, w, &kind, &asset));
        let bridge = b.part("bridge call data", |b| bridge(b, w, &kind, &asset));
        let account = b.part("account key", |b| account(b, w));
        let data_root = b.alloc(w.data_root);
        let link = b.alloc(w.backward_link);
        let inputs = b.part("input notes", |b| {
            let inputs = w
                .inputs
                .each_ref()
                .map(|note| input(b, note, &account, &asset));
            // The second note is used only with the first, and only a deposit uses no note.
            let without_first = inputs[0].in_use.not();
            b.zero_where(inputs[1].in_use.num(), without_first.num());
            b.zero_where(without_first.num(), kind.is_deposit.not().num());
            inputs
        });
        memberships(b, w, &inputs, (&link, &data_root));
        let (outputs, commitments) = b.part("output notes", |b| {
            let outputs = [0, 1].map(|which| {
                let chain = w.allow_chain[which];
                output(b, &w.outputs[which], chain, &account)
            });
            let [first, second] = [0, 1].map(|which| {
                let NewNote { partial, value, .. } = &outputs[which];
                let fields = [partial, value, &asset, &inputs[which].nullifier];
                tagged(b, HashIndex::ValueNote, &fields)
            });
            let [claim_note, _] = &outputs;
            let (deposit, nullifier) = (&public.deposit, &inputs[0].nullifier);
            let fields = [deposit, &bridge, &claim_note.partial, nullifier];
            let claim = tagged(b, HashIndex::ClaimNotePartial, &fields);
            b.zero_where(kind.is_defi.num(), &claim_note.value);
            b.zero_where(kind.is_defi.num(), claim_note.chain.num());
            let first = b.select(&kind.is_defi, &claim, &first);
            (outputs, [first, second])
        });
        b.part("balance", |b| {
            balance(b, &kind, &public, (&inputs, &outputs));
        });
        let signing_key = b.part("account note membership", |b| {
            signing_key(b, w, &account, &data_root)
        });
        let [first, second] = commitments;
        let [nullifier1, nullifier2] = inputs.map(|input| input.nullifier);
        let [chain1, chain2] = outputs.map(|output| output.chain);
        let published = vec![
            kind.id,
            first,
            second,
            nullifier1,
            nullifier2,
            public.value,
            public.owner,
            public.asset,
            data_root,
            public.fee,
            asset,
            bridge,
            public.deposit,
            Num::zero(),
            link,
            chain1.num() + &chain2.num().scale(Fr::from(2u64)),
        ];
        let message = publish::<JoinSplit>(b, published);
        b.part("signature", |b| {
            enforce_signature(b, &signing_key, &message, &w.signer.signature);
        });
    }
}

/// Checks every rule of a payment; returns its 16 published fields.
pub fn check(w: &JoinSplitWitness) -> Result<Published, StatementError> {
    definition::demand_none(&JoinSplit.violations(Suite::Poseidon, w))?;
    Ok(published(w))
}

fn ranged(b: &mut Builder, value: Fr, bits: usize) -> Num {
    let num = b.alloc(value);
    decompose(b, &num, bits);
    num
}

fn kind(b: &mut Builder, w: &JoinSplitWitness) -> PaymentKind {
    use proof_id::{DEFI_DEPOSIT, DEPOSIT, SEND, WITHDRAW};
    let id = b.alloc(w.proof_id);
    let known = [DEPOSIT, WITHDRAW, SEND, DEFI_DEPOSIT];
    let known = known.map(|kind| is_zero(b, &id.plus(-Fr::from(kind))));
    b.equal(&Num::sum(known.iter().map(Bit::num)), &Num::one());
    let [is_deposit, is_withdrawal, _, is_defi] = known;
    PaymentKind {
        id,
        is_deposit,
        is_withdrawal,
        is_defi,
    }
}

fn public(b: &mut Builder, w: &JoinSplitWitness, kind: &PaymentKind, asset: &Num) -> PublicValues {
    let is_public = kind.is_deposit.num() + kind.is_withdrawal.num();
    let value = ranged(b, w.public_value, AMOUNT_BITS);
    let owner = ranged(b, w.public_owner, OWNER_BITS);
    let fee = ranged(b, w.fee, DEPOSIT_BITS);
    let deposit = ranged(b, w.deposit, DEPOSIT_BITS);
    for (value, given) in [
        (&value, &is_public),
        (&owner, &is_public),
        (&deposit, kind.is_defi.num()),
    ] {
        let zero = is_zero(b, value);
        b.equal(zero.not().num(), given);
    }
    let public_asset = b.mul(&is_public, asset);
    // A public asset must not have bit 29, which marks virtual assets.
    decompose(b, &public_asset, VIRTUAL_BIT);
    PublicValues {
        value,
        owner,
        asset: public_asset,
        fee,
        deposit,
    }
}

/// Returns the call data of a defi deposit; zero in other payments, which breaks no rule.
fn bridge(b: &mut Builder, w: &JoinSplitWitness, kind: &PaymentKind, asset: &Num) -> Num {
    let bridge = BridgeRows::alloc(b, w.bridge);
    b.zero_where(&bridge.word.num, &(&Num::one() - kind.is_defi.num()));
    b.equal(bridge.second_input.num(), &Num::zero());
    b.zero_where(kind.is_defi.num(), &(&bridge.input[0] - asset));
    bridge.word.num
}

fn account(b: &mut Builder, w: &JoinSplitWitness) -> Spender {
    let private_key = b.alloc(w.private_key);
    Spender {
        owner: public_key(b, &private_key),
        nullifier_key: tagged(b, HashIndex::ValueNullifierKey, &[&private_key]),
        required: b.alloc_bit(w.account_required),
    }
}

/// Allocates an input note with its nullifier. The note belongs to the account,
/// because its commitment is made with the account's key.
fn input(b: &mut Builder, note: &InputNote, account: &Spender, asset: &Num) -> SpentNote {
    let in_use = b.alloc_bit(note.in_use);
    let value = ranged(b, note.value, AMOUNT_BITS);
    b.zero_where(in_use.not().num(), &value);
    let [secret, creator, input_nullifier] =
        [note.secret, note.creator, note.input_nullifier].map(|value| b.alloc(value));
    let EdwardsPoint { x, y } = &account.owner;
    let fields = [&secret, x, y, account.required.num(), &creator];
    let partial = tagged(b, HashIndex::ValueNotePartial, &fields);
    let fields = [&partial, &value, asset, &input_nullifier];
    let commitment = tagged(b, HashIndex::ValueNote, &fields);
    let zero = Num::zero();
    let fields = [&commitment, &account.nullifier_key, &zero, in_use.num()];
    let nullifier = tagged(b, HashIndex::ValueNullifier, &fields);
    SpentNote {
        in_use,
        value,
        commitment,
        nullifier,
    }
}

/// Enforces that every used note is under the data root, except the note that
/// the link names: the tx rollup proves the membership of that note.
fn memberships(
    b: &mut Builder,
    w: &JoinSplitWitness,
    inputs: &[SpentNote; 2],
    roots: (&Num, &Num),
) {
    let (link, data_root) = roots;
    let linked = b.part("chaining", |b| {
        let [first, second] = [0, 1].map(|which: usize| {
            let same = is_equal(b, link, &inputs[which].commitment);
            b.and(&same, &inputs[which].in_use)
        });
        let missing = b.mul(link, first.not().num());
        b.zero_where(&missing, second.not().num());
        [first, second]
    });
    b.part("input note membership", |b| {
        for ((input, note), linked) in inputs.iter().zip(&w.inputs).zip(linked) {
            let path = (note.index, &note.siblings[..]);
            let root = root_of(b, Suite::Poseidon, &input.commitment, path);
            let demanded = input.in_use.num() - linked.num();
            b.zero_where(&demanded, &(&root - data_root));
        }
    });
}

fn output(b: &mut Builder, note: &OutputNote, chain: bool, account: &Spender) -> NewNote {
    let value = ranged(b, note.value, AMOUNT_BITS);
    let partial = &note.partial;
    let (secret, owner, creator) = (partial.secret, partial.owner, partial.creator);
    let [secret, x, y, creator] = [secret, owner.0, owner.1, creator].map(|v| b.alloc(v));
    let required = b.alloc_bit(partial.account_required);
    let owner = &account.owner;
    b.zero_where(&creator, &(&creator - &owner.x));
    let chain = b.alloc_bit(chain);
    b.zero_where(chain.num(), &(&x - &owner.x));
    b.zero_where(chain.num(), &(&y - &owner.y));
    let fields = [&secret, &x, &y, required.num(), &creator];
    NewNote {
        partial: tagged(b, HashIndex::ValueNotePartial, &fields),
        value,
        chain,
    }
}

/// Enforces that inputs and outputs balance. No sum wraps, as all amounts are in range.
fn balance(
    b: &mut Builder,
    kind: &PaymentKind,
    public: &PublicValues,
    (inputs, outputs): (&[SpentNote; 2], &[NewNote; 2]),
) {
    let brought = b.mul(kind.is_deposit.num(), &public.value);
    let taken = b.mul(kind.is_withdrawal.num(), &public.value);
    let before = Num::sum([&inputs[0].value, &inputs[1].value, &brought]);
    let after = [&outputs[0].value, &outputs[1].value, &taken];
    let spent = [&public.deposit, &public.fee];
    b.equal(&before, &Num::sum(after.into_iter().chain(spent)));
}

/// Returns the key that signs: an account note's signing key, or the account key.
fn signing_key(
    b: &mut Builder,
    w: &JoinSplitWitness,
    account: &Spender,
    data_root: &Num,
) -> EdwardsPoint {
    let signer = &w.signer;
    let key = EdwardsPoint::alloc(b, signer.key.0, signer.key.1);
    let owner = &account.owner;
    let free = account.required.not();
    b.zero_where(free.num(), &(&key.x - &owner.x));
    b.zero_where(free.num(), &(&key.y - &owner.y));
    let alias = b.alloc(signer.alias_hash);
    let note = tagged(b, HashIndex::AccountNote, &[&alias, &owner.x, &key.x]);
    let root = root_of(b, Suite::Poseidon, &note, (signer.index, &signer.siblings));
    b.zero_where(account.required.num(), &(&root - data_root));
    key
}
