//! What a verifier of the published words checks, and what binds the others.

use super::{evaluated, size};
use crate::field::{power_of_two, to_word};
use crate::published::{Published, PublishedError, place};
use crate::root_rollup::{Broadcast, BroadcastError, RootSize};
use crate::statement::root_rollup::broadcast::PREVIOUS_DEFI_HASH;
use crate::tests::support::root::RootPlan;
use crate::{Rule, StatementError, Suite};

/// The words that stand behind a root rollup's broadcast data.
pub(crate) struct Words {
    broadcast: Vec<[u8; 32]>,
    headers: Vec<Vec<[u8; 32]>>,
    notes: Vec<[[u8; 32]; 6]>,
}

impl Words {
    pub(crate) fn of(broadcast: &Broadcast) -> Self {
        let inners = broadcast.inners().iter();
        let notes = broadcast.interactions().iter();
        Self {
            broadcast: broadcast.words(),
            headers: inners
                .map(|inner| inner.header.iter().map(to_word).collect())
                .collect(),
            notes: notes.map(|note| note.each_ref().map(to_word)).collect(),
        }
    }

    pub(crate) fn read(&self, size: RootSize) -> Result<Broadcast, BroadcastError> {
        Broadcast::read(size, &self.broadcast, &self.headers, &self.notes)
    }
}

/// Native code and the verifier of published words refuse it; no row does.
#[test]
fn bridge_call_data_that_is_too_long_is_refused() {
    let mut plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    plan.bridges.push(power_of_two(250));
    let circuit = plan.circuit();
    let broken = circuit
        .statement
        .violations(plan.suite, &plan.witness().into());
    assert_eq!(broken, [Rule::Range("bridge call data").into()]);
    let published = evaluated(&plan);
    assert_eq!(
        Words::of(&published).read(plan.size),
        Err(BroadcastError::Range(
            place::BRIDGES + plan.bridges.len() - 1
        ))
    );
}

#[test]
fn what_the_verifier_of_broadcast_words_checks() {
    let plan = RootPlan::new(Suite::Poseidon, size(3, 1));
    let published = evaluated(&plan);
    assert_eq!(Words::of(&published).read(plan.size), Ok(published.clone()));
    let changed = |change: &dyn Fn(&mut Words)| {
        let mut words = Words::of(&published);
        change(&mut words);
        words.read(plan.size)
    };
    let padding = 142 + 8 * 2;
    let inner = |at, problem| Err(BroadcastError::Inner(StatementError::Inner { at, problem }));
    assert_eq!(
        changed(&|words| words.broadcast[3] = [0xff; 32]),
        Err(BroadcastError::NotCanonical(3))
    );
    assert_eq!(
        changed(&|words| words.broadcast[place::BRIDGES + 4][0] = 0x04),
        Err(BroadcastError::Range(place::BRIDGES + 4))
    );
    assert_eq!(
        changed(&|words| words.broadcast[padding][31] = 1),
        Err(BroadcastError::Padding(padding))
    );
    assert_eq!(
        changed(&|words| words.broadcast[142 + 8][31] ^= 1),
        inner(1, PublishedError::InputsHash)
    );
    assert_eq!(
        changed(&|words| words.headers[1][place::INPUTS_HASH][31] ^= 1),
        inner(1, PublishedError::InputsHash)
    );
    assert_eq!(
        changed(&|words| words.headers[0][place::BRIDGES] = to_word(&power_of_two(250))),
        inner(0, PublishedError::Range(11))
    );
    assert_eq!(
        changed(&|words| words.headers[0][5] = [0xff; 32]),
        inner(0, PublishedError::NotCanonical(5))
    );
    assert_eq!(
        changed(&|words| words.headers[0].truncate(107)),
        inner(
            0,
            PublishedError::Count {
                got: 107,
                expected: 108
            }
        )
    );
    assert_eq!(
        changed(&|words| words.broadcast[PREVIOUS_DEFI_HASH][31] ^= 1),
        Err(BroadcastError::PreviousDefiHash)
    );
    for note in [0, 31] {
        for word in 0..6 {
            assert_eq!(
                changed(&|words| words.notes[note][word][31] ^= 1),
                Err(BroadcastError::PreviousDefiHash)
            );
        }
    }
    assert_eq!(
        changed(&|words| words.notes[31][0] = [0xff; 32]),
        Err(BroadcastError::Interaction(31))
    );
    type Change = fn(&mut Words);
    let counts: [(&str, Change); 5] = [
        ("broadcast words", |words| words.broadcast.truncate(173)),
        ("interaction notes", |words| words.notes.truncate(31)),
        ("inner rollups", |words| words.headers.clear()),
        ("inner rollups", |words| {
            let header = words.headers[0].clone();
            words.headers.resize(4, header);
        }),
        ("broadcast words", |words| words.broadcast.push([0; 32])),
    ];
    for (name, change) in counts {
        let error = changed(&change).unwrap_err();
        assert!(
            matches!(error, BroadcastError::Count { what, .. } if what == name),
            "{error}"
        );
    }
}

/// The public input covers every word that no hash and no count covers.
#[test]
fn every_other_word_is_bound_by_the_public_input() {
    let plan = RootPlan::new(Suite::Poseidon, size(2, 1));
    let published = evaluated(&plan);
    let public_input = published.published().public_input();
    let bound = |words: &Words, what: &dyn Fn() -> String| {
        if let Ok(other) = words.read(plan.size) {
            assert_ne!(other.published().public_input(), public_input, "{}", what());
        }
    };
    for at in 0..142 {
        let mut words = Words::of(&published);
        words.broadcast[at][31] ^= 1;
        bound(&words, &|| format!("broadcast word {at}"));
    }
    for at in 0..108 {
        let mut words = Words::of(&published);
        words.headers[0][at][31] ^= 1;
        bound(&words, &|| format!("header word {at}"));
    }
    // One inner rollup fewer, with nothing in its place.
    let mut words = Words::of(&published);
    words.headers.pop();
    words.broadcast[142..].fill([0; 32]);
    bound(&words, &|| "an inner rollup".to_owned());
}

#[test]
fn a_root_rollups_fields_are_not_read_alone() {
    let plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    let published = evaluated(&plan);
    let published = published.published();
    let error = Published::from_words(plan.size.into(), &published.to_words(), &[]);
    assert_eq!(error, Err(PublishedError::NotAlone));
}
