//! Server-sent events: that something changed. What, is read from the views.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{Inner, routes::Refusal};

/// Viewers at once.
const VIEWERS: usize = 64;
/// A proxy must not take silence for the end.
const ALIVE: Duration = Duration::from_secs(10);

static WATCHING: AtomicUsize = AtomicUsize::new(0);

/// One viewer, counted while it watches.
struct Viewer(Receiver<Arc<str>>);

impl Drop for Viewer {
    fn drop(&mut self) {
        WATCHING.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) async fn events(State(console): State<Arc<Inner>>) -> Response {
    if WATCHING.fetch_add(1, Ordering::Relaxed) >= VIEWERS {
        WATCHING.fetch_sub(1, Ordering::Relaxed);
        let why = format!("{VIEWERS} viewers watch already: reload later");
        return Refusal::away(why).into_response();
    }
    let viewer = Viewer(console.changes.subscribe());
    // Dropped before it is read, the console ends its viewers' streams.
    drop(console);
    let changes = stream::unfold(viewer, |mut viewer| async {
        let change = match viewer.0.recv().await {
            Ok(change) => change,
            // What was missed is read again anyway.
            Err(RecvError::Lagged(_)) => Arc::from(r#"{"what":"lagged"}"#),
            Err(RecvError::Closed) => return None,
        };
        let event = Event::default().event("change").data(&*change);
        Some((Ok::<_, Infallible>(event), viewer))
    });
    let alive = KeepAlive::new().interval(ALIVE);
    Sse::new(changes).keep_alive(alive).into_response()
}
