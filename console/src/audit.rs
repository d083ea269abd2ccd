//! What operators did: logged under the target `audit`, and the last of it kept
//! in memory for the page.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use super::views::Deed;

/// Deeds that are kept.
const KEPT: usize = 256;

/// The log of what operators did.
#[derive(Debug, Default)]
pub(super) struct Audit {
    deeds: Mutex<VecDeque<Deed>>,
}

impl Audit {
    /// Writes a deed down.
    pub(super) fn write(&self, deed: Deed) {
        let Deed {
            who,
            what,
            on,
            text,
            done,
            ..
        } = &deed;
        tracing::info!(target: "audit", who, what, on, text, done, "operator {who}: {what} {on}");
        let mut deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
        if deeds.len() == KEPT {
            deeds.pop_front();
        }
        deeds.push_back(deed);
    }

    /// The last deeds, newest first.
    pub(super) fn deeds(&self) -> Vec<Deed> {
        let deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
        deeds.iter().rev().cloned().collect()
    }
}
