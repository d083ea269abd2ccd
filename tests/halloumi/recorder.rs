//! In place of Falafel: a job server that hands out recorded frames, one after
//! the other, and keeps every body that it is sent.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    routing::{get, post},
};
use bytes::Bytes;
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{sleep, timeout},
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    desk: Arc<Desk>,
}

#[derive(Default)]
struct Desk {
    frames: Mutex<VecDeque<Bytes>>,
    completed: watch::Sender<Vec<Bytes>>,
}

impl Recorder {
    pub(crate) async fn start(frames: impl IntoIterator<Item = Bytes>) -> Self {
        let desk = Arc::new(Desk {
            frames: Mutex::new(frames.into_iter().collect()),
            ..Desk::default()
        });
        let router = Router::new()
            .route("/get-job", get(get_job))
            .route("/ping", get(async || "OK"))
            .route("/job-complete", post(job_complete))
            .layer(DefaultBodyLimit::disable())
            .with_state(desk.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { address, desk }
    }

    /// Hands out another frame.
    pub(crate) fn ask(&self, frame: Bytes) {
        self.desk.frames.lock().unwrap().push_back(frame);
    }

    /// The bodies of `/job-complete`, sorted, once there are so many.
    pub(crate) async fn completed(&self, count: usize) -> Vec<Bytes> {
        let mut seen = self.desk.completed.subscribe();
        let bodies = timeout(PATIENCE, seen.wait_for(|bodies| bodies.len() >= count)).await;
        let mut bodies = bodies
            .unwrap_or_else(|_| {
                let got = self.desk.completed.borrow().len();
                panic!("{got} of {count} jobs were completed")
            })
            .unwrap()
            .clone();
        bodies.sort();
        bodies
    }
}

/// The long poll: it waits as long as there is nothing.
async fn get_job(State(desk): State<Arc<Desk>>) -> Bytes {
    loop {
        let next = desk.frames.lock().unwrap().pop_front();
        match next {
            Some(frame) => return frame,
            None => sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn job_complete(State(desk): State<Arc<Desk>>, body: Bytes) -> &'static str {
    desk.completed.send_modify(|bodies| bodies.push(body));
    "OK"
}
