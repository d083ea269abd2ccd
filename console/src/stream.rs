//! Server-sent events, which notify viewers of changes. A viewer then reads its
//! view again.

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

use super::{refusal::Refusal, state::ConsoleState};

/// The number of viewers with an open stream, at most.
const VIEWERS: usize = 64;
/// How often a comment is sent, so that no proxy closes a silent connection.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

static WATCHING: AtomicUsize = AtomicUsize::new(0);

/// One viewer, counted in [`WATCHING`] until it is dropped.
struct Viewer(Receiver<Arc<str>>);

impl Drop for Viewer {
    fn drop(&mut self) {
        WATCHING.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) async fn events(State(console): State<Arc<ConsoleState>>) -> Response {
    if WATCHING.fetch_add(1, Ordering::Relaxed) >= VIEWERS {
        WATCHING.fetch_sub(1, Ordering::Relaxed);
        let why = format!("{VIEWERS} viewers are connected, the limit: reload the page later");
        return Refusal::away(why).into_response();
    }
    let viewer = Viewer(console.changes.subscribe());
    // The stream holds no reference to the console, so it ends with the console.
    drop(console);
    let changes = stream::unfold(viewer, |mut viewer| async {
        let change = match viewer.0.recv().await {
            Ok(change) => change,
            // The viewer then reads its view again and misses no change.
            Err(RecvError::Lagged(_)) => Arc::from(r#"{"what":"lagged"}"#),
            Err(RecvError::Closed) => return None,
        };
        let event = Event::default().event("change").data(&*change);
        Some((Ok::<_, Infallible>(event), viewer))
    });
    let alive = KeepAlive::new().interval(KEEP_ALIVE);
    Sse::new(changes).keep_alive(alive).into_response()
}
