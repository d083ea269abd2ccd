//! A mutex for short critical sections.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutex that is never held over an await. A panic under the lock does not poison the
/// mutex: the panic is reported where it happened, and each section leaves the value
/// consistent.
#[derive(Debug, Default)]
pub(crate) struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
