//! The settlement of a rollup: its notes can be used.

use rand::Rng;
use zkwhirl_circuits::published::BRIDGES;

use super::{Draft, World, bridges, draft::MadeInners, parts::Deposit};

impl Draft {
    /// The world after this rollup: its data root is an old one now, its
    /// notes can be spent, its bridges have been called.
    ///
    /// A draft without inner rollups leaves the world without a rollup.
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
    /// The bridge at place `k` takes its deposits; one in eight calls fails.
    fn call_bridge(&mut self, k: u32, deposits: Vec<Deposit>) {
        let bridge = deposits[0].bridge;
        let total = deposits.iter().map(|deposit| deposit.value).sum();
        let result = self.rng.gen_ratio(7, 8);
        let nonce = BRIDGES as u32 * self.next_rollup + k;
        let interaction = bridges::interact(bridge, nonce, total, result, &mut self.rng);
        self.finished.push((interaction, deposits));
    }
}
