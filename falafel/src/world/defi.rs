//! Carries interactions into the defi tree.

use ark_bn254::Fr;
use sha2::{Digest, Sha256};
use zkwhirl_circuits::{field, published::BRIDGES};
use zkwhirl_job::{
    Word,
    request::{DefiInteractionNote, MerklePath},
};

use super::{
    World,
    inner::path,
    parts::{BridgeInteraction, word},
};

/// The interactions of the previous rollup, which this rollup carries into the
/// defi tree.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) notes: Vec<BridgeInteraction>,
    /// The root of the defi tree before the interactions were added.
    pub(super) old_root: Word,
    /// The path of the first interaction's leaf, before the interactions were added.
    pub(super) old_path: MerklePath,
}

impl World {
    /// Adds the finished interactions to the defi tree from index 32 × rollup
    /// id on; their deposits can be claimed from now on.
    pub(super) fn carry(&mut self) -> Carried {
        let first = BRIDGES as u32 * self.next_rollup;
        let mut carried = Carried {
            notes: Vec::new(),
            old_root: word(&self.trees.defi.root()),
            old_path: path(&self.trees.defi, u64::from(first).into()),
        };
        for (index, (mut interaction, deposits)) in
            (first..).zip(std::mem::take(&mut self.finished))
        {
            interaction.index = index;
            let leaf = interaction.commitment(self.suite);
            self.trees.defi.set(u64::from(index).into(), leaf);
            carried.notes.push(interaction);
            let claims = deposits.into_iter().map(|deposit| (deposit, interaction));
            self.claimable.extend(claims);
        }
        carried
    }
}

/// Returns the hash of carried notes that a rollup publishes beside their
/// commitments: SHA-256 over the hashes of 32 notes. Each note's hash covers
/// six words in their own order; the words of missing notes are zero.
pub(super) fn interaction_hash(notes: &[DefiInteractionNote]) -> Fr {
    let mut all = Sha256::new();
    for place in 0..BRIDGES {
        let words = notes.get(place).map_or([Word::ZERO; 6], |note| {
            [
                note.bridge_call_data,
                Word::from(u64::from(note.nonce)),
                note.total_input_value,
                note.total_output_value_a,
                note.total_output_value_b,
                Word::from(u64::from(note.result)),
            ]
        });
        let hash = field::reduce(&Sha256::digest(words.map(|word| word.0).concat()).into());
        all.update(field::to_word(&hash));
    }
    field::reduce(&all.finalize().into())
}
