//! Mutexes whose value is consistent at every step, and so after a panic too.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the mutex, also if an earlier holder panicked.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
