//! Padding that is not zero, or that real words follow. No witness type can
//! hold such values.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use crate::r1cs::{Builder, Mode, Num};
use crate::root_rollup::{INTERACTIONS, Interaction, RootSize};
use crate::statement::root_rollup::INNER_WORDS;
use crate::statement::root_rollup::inners::{InnerChain, InteractionNotes, Marked};
use crate::suite::Suite;

const SIZE: RootSize = RootSize {
    inners: 3,
    slots: 1,
};

const BLANK: [Fr; INNER_WORDS] = [Fr::ZERO; INNER_WORDS];

/// Returns a real inner rollup at an index, with as many zero words as possible.
fn inner(at: u64) -> [Fr; INNER_WORDS] {
    let mut words = BLANK;
    words[1] = SIZE.slots.into();
    words[2] = Fr::from(2 * at);
    words
}

fn inners_fail(inners: &[(&[Fr; INNER_WORDS], bool)]) -> bool {
    let inners: Vec<Marked<'_>> = inners.iter().map(|(w, real)| (&w[..], *real)).collect();
    let (mut b, zero) = (Builder::new(Mode::Check), Num::zero());
    InnerChain::new(&mut b, SIZE, [&zero; 3], &inners);
    !b.unsatisfied().is_empty()
}

#[test]
fn padding_has_no_words() {
    let first = inner(0);
    assert!(!inners_fail(&[(&first, true)]));
    for at in 0..INNER_WORDS {
        let mut padding = BLANK;
        padding[at] = Fr::from(7u64);
        let middle = [(&first, true), (&padding, false)];
        assert!(inners_fail(&middle), "word {at}");
        let last = [(&first, true), (&BLANK, false), (&padding, false)];
        assert!(inners_fail(&last), "word {at} of the last");
    }
}

#[test]
fn the_first_inner_rollup_is_real_and_a_real_one_has_a_size() {
    assert!(inners_fail(&[(&BLANK, false)]));
    assert!(inners_fail(&[(&inner(0), true), (&BLANK, true)]));
}

#[test]
fn no_inner_rollup_follows_padding() {
    let [first, second, third] = [0, 1, 2].map(inner);
    let all = [(&first, true), (&second, true), (&third, true)];
    assert!(!inners_fail(&all));
    assert!(!inners_fail(&all[..2]));
    assert!(inners_fail(&[all[0], (&BLANK, false), all[2]]));
}

#[test]
fn a_missing_interaction_has_no_words_and_ends_the_list() {
    let fails = |notes: &[Interaction], present: &dyn Fn(usize) -> bool| {
        let notes = notes.iter().enumerate();
        let notes: Vec<Marked<'_>> = notes.map(|(at, w)| (&w[..], present(at))).collect();
        let mut b = Builder::new(Mode::Check);
        InteractionNotes::new(&mut b, Suite::Poseidon, &notes);
        !b.unsatisfied().is_empty()
    };
    let zeros = [[Fr::ZERO; 6]; INTERACTIONS];
    assert!(!fails(&zeros, &|_| false));
    assert!(!fails(&zeros, &|_| true));
    assert!(fails(&zeros, &|at| at == 1));
    for place in [0, 1, INTERACTIONS - 1] {
        for at in 0..6 {
            let mut notes = zeros;
            notes[place][at] = Fr::from(1u64);
            assert!(fails(&notes, &|at| at < place), "word {at} of {place}");
            assert!(!fails(&notes, &|at| at <= place), "word {at} of {place}");
        }
    }
}
