//! The settlement of a rollup: its notes become spendable.

use rand::Rng;
use zkwhirl_circuits::published::BRIDGES;

use super::{Draft, World, bridges, draft::MadeInners, parts::Deposit};

impl Draft {
    /// Returns the world after this rollup: its data root is in the tree of
    /// data roots, its notes can be spent, its bridges have been called.
    ///
    /// A draft without inner rollups returns the world unchanged by a rollup.
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
}

impl World {
    /// Calls the bridge at index `k` with its deposits; one call in eight fails.
    fn call_bridge(&mut self, k: u32, deposits: Vec<Deposit>) {
        let bridge = deposits[0].bridge;
        let total = deposits.iter().map(|deposit| deposit.value).sum();
        let result = self.rng.gen_ratio(7, 8);
        let nonce = BRIDGES as u32 * self.next_rollup + k;
        let interaction = bridges::interact(bridge, nonce, total, result, &mut self.rng);
        self.finished.push((interaction, deposits));
    }
}
