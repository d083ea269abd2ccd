//! The words that a verifier checks; the public input binds the other words.

use super::{evaluated, size};
use crate::field::{power_of_two, to_word};
use crate::published::{Published, PublishedError, place};
use crate::root_rollup::{Broadcast, BroadcastError, RootSize};
use crate::statement::root_rollup::broadcast::PREVIOUS_DEFI_HASH;
use crate::tests::support::root::RootPlan;
use crate::{Rule, Suite};

/// The published words of a root rollup as a verifier reads them.
pub(crate) struct Words {
    broadcast: Vec<[u8; 32]>,
    headers: Vec<Vec<[u8; 32]>>,
    notes: Vec<[[u8; 32]; 6]>,
}

impl Words {
    pub(crate) fn of(broadcast: &Broadcast) -> Self {
        let inners = broadcast.inners.iter();
        let notes = broadcast.interactions.iter();
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

/// Native code and the verifier of published words refuse the value; the rows accept it.
#[test]
fn bridge_call_data_that_is_too_long_is_refused() {
    let mut plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    plan.bridges.push(power_of_two(250));
    let (statement, w) = (plan.circuit().statement, plan.witness().into());
    let broken = statement.violations(plan.suite, &w);
    assert_eq!(broken, [Rule::Range("bridge call data").into()]);
    let wide = BroadcastError::Range(place::BRIDGES + plan.bridges.len() - 1);
    assert_eq!(Words::of(&evaluated(&plan)).read(plan.size), Err(wide));
}

#[test]
fn what_the_verifier_of_broadcast_words_checks() {
    let plan = RootPlan::new(Suite::Poseidon, size(3, 1));
    let published = evaluated(&plan);
    assert_eq!(Words::of(&published).read(plan.size), Ok(published.clone()));
    type Change = fn(&mut Words);
    let cases: [(&str, Change); 15] = [
        (
            "broadcast word 3 is not a canonical field element",
            |words| words.broadcast[3] = [0xff; 32],
        ),
        ("broadcast word 15 is out of range", |words| {
            words.broadcast[place::BRIDGES + 4][0] = 0x04
        }),
        (
            "broadcast word 158 should be zero: there is no inner rollup",
            |words| words.broadcast[142 + 8 * 2][31] = 1,
        ),
        (
            "inner rollup 1: inputs hash is not the SHA-256 of the published txs",
            |words| words.broadcast[142 + 8][31] ^= 1,
        ),
        (
            "inner rollup 1: inputs hash is not the SHA-256 of the published txs",
            |words| words.headers[1][place::INPUTS_HASH][31] ^= 1,
        ),
        (
            "inner rollup 0: published field 11 is out of range",
            |words| words.headers[0][place::BRIDGES] = to_word(&power_of_two(250)),
        ),
        (
            "inner rollup 0: published field 5 is not a canonical field element",
            |words| words.headers[0][5] = [0xff; 32],
        ),
        (
            "inner rollup 0: 107 published fields, expected 108",
            |words| words.headers[0].truncate(107),
        ),
        (
            "the previous defi interaction hash is not that of the interaction notes",
            |words| words.broadcast[PREVIOUS_DEFI_HASH][31] ^= 1,
        ),
        (
            "interaction note 31 has a word that is not a canonical field element",
            |words| words.notes[31][0] = [0xff; 32],
        ),
        ("173 broadcast words, expected 174", |words| {
            words.broadcast.truncate(173)
        }),
        ("175 broadcast words, expected 174", |words| {
            words.broadcast.push([0; 32])
        }),
        ("31 interaction notes, expected 32", |words| {
            words.notes.truncate(31)
        }),
        ("0 inner rollups, expected 1 to 3", |words| {
            words.headers.clear()
        }),
        ("4 inner rollups, expected 1 to 3", |words| {
            words.headers = vec![words.headers[0].clone(); 4]
        }),
    ];
    for (expected, change) in cases {
        let mut words = Words::of(&published);
        change(&mut words);
        let error = words.read(plan.size).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    for at in 0..12 {
        let (note, word) = (at / 6 * 31, at % 6);
        let mut words = Words::of(&published);
        words.notes[note][word][31] ^= 1;
        let error = words.read(plan.size);
        assert_eq!(error, Err(BroadcastError::PreviousDefiHash));
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
    // One inner rollup is removed and replaced by zeros.
    let mut words = Words::of(&published);
    words.headers.pop();
    words.broadcast[142..].fill([0; 32]);
    bound(&words, &|| "an inner rollup".to_owned());
}

#[test]
fn a_root_rollups_fields_are_not_read_alone() {
    let plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    let words = evaluated(&plan).published().to_words();
    let error = Published::from_words(plan.circuit().statement, &words, &[]);
    assert_eq!(error, Err(PublishedError::NotAlone));
}
