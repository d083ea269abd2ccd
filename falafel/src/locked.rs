//! Locks whose holders leave the value whole at every step.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The value, also after a panic elsewhere.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
