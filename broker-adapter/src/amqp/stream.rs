//! The next item of a stream, which is all that is needed of streams here.

use std::{future::poll_fn, pin::Pin};

use futures_core::Stream;

/// Waits for the next item; `None` at the stream's end. Cancel safe.
pub(super) async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}
