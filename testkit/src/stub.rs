//! A small Falafel for tests: real framing, leases, long polls, and faults on
//! demand. The stub has its own runtime, which can be stopped with all connections
//! and started again on the same port.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use tokio::{net::TcpListener, runtime::Runtime, sync::Notify, time::Instant};
use url::Url;
use zkwhirl_job::{Command, Frame, TicketId};

/// A job of the stub.
#[derive(Debug)]
struct StubJob {
    frame: Frame,
    stamp: Option<Instant>,
}

/// A wrong answer of `/get-job` in place of a job.
#[derive(Debug)]
pub enum Odd {
    /// Status 200 without a body.
    Empty,
    /// Another status.
    Status(u16),
    /// Status 200 with this body.
    Body(Vec<u8>),
    /// These bytes, then zeros without end.
    Endless(Bytes),
}

/// The stub's jobs, and the requests that it has received.
#[derive(Debug, Default)]
pub struct Seen {
    jobs: Vec<StubJob>,
    odd: VecDeque<Odd>,
    next: u32,
    /// The number of next calls of `/job-complete` that fail.
    pub refuse_answers: usize,
    /// The accepted answers in order; true if the answer's ticket was open.
    pub answers: Vec<(Frame, bool)>,
    /// The number of times that each ticket was issued.
    pub issued: HashMap<TicketId, usize>,
    /// When each ticket was pinged last, and the longest time between two pings.
    pub pings: HashMap<TicketId, (Instant, Duration)>,
    /// The number of long polls so far.
    pub polls: usize,
}

#[derive(Debug)]
struct StubState {
    seen: Mutex<Seen>,
    changed: Notify,
    /// Locked by the poll that is served: polls are served one after the other.
    head: tokio::sync::Mutex<()>,
    lease: Duration,
}

/// A running stub.
#[derive(Debug)]
pub struct Stub {
    inner: Arc<StubState>,
    at: SocketAddr,
    runtime: Option<Runtime>,
}

impl Stub {
    /// Starts a stub whose leases last for `lease`.
    pub fn start(lease: Duration) -> Self {
        let inner = Arc::new(StubState {
            seen: Mutex::default(),
            changed: Notify::new(),
            head: tokio::sync::Mutex::default(),
            lease,
        });
        let (runtime, at) = serve(&inner, "127.0.0.1:0".parse().unwrap());
        Self {
            inner,
            at,
            runtime: Some(runtime),
        }
    }

    /// The URL of the stub.
    pub fn url(&self) -> Url {
        format!("http://{}", self.at).parse().unwrap()
    }

    /// Locks and returns the stub's jobs and received requests.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.inner.seen.lock().unwrap()
    }

    /// Adds a job with a new ticket; returns the ticket.
    pub fn ask(&self, command: u32, data: impl Into<Bytes>) -> TicketId {
        let mut seen = self.seen();
        seen.next += 1;
        let mut id = [0xab; 32];
        id[..4].copy_from_slice(&seen.next.to_be_bytes());
        let ticket = TicketId(id);
        drop(seen);
        self.ask_frame(Frame {
            ticket,
            command,
            data: data.into(),
        });
        ticket
    }

    /// Adds a job with its frame's ticket.
    pub fn ask_frame(&self, frame: Frame) {
        self.seen().jobs.push(StubJob { frame, stamp: None });
        self.inner.changed.notify_waiters();
    }

    /// Adds a proof job with a new ticket; returns the ticket.
    pub fn ask_proof(&self, request: impl Into<Bytes>) -> TicketId {
        self.ask(Command::CreateProof.code(), request)
    }

    /// Answers the next poll with `odd` in place of a job.
    pub fn say(&self, odd: Odd) {
        self.seen().odd.push_back(odd);
        self.inner.changed.notify_waiters();
    }

    /// Answers the next poll with this frame, even if its ticket's lease is valid.
    pub fn say_again(&self, frame: Frame) {
        self.say(Odd::Body(frame.to_bytes().to_vec()));
    }

    /// The answer to a ticket that came while the ticket was open, if any.
    pub fn answer(&self, ticket: TicketId) -> Option<Frame> {
        let seen = self.seen();
        let mut answers = seen.answers.iter();
        let answer = answers.find(|(frame, known)| frame.ticket == ticket && *known);
        answer.map(|(frame, _)| frame.clone())
    }

    /// The number of times that the ticket was issued.
    pub fn issued(&self, ticket: TicketId) -> usize {
        self.seen().issued.get(&ticket).copied().unwrap_or(0)
    }

    /// True if the ticket was pinged.
    pub fn was_pinged(&self, ticket: TicketId) -> bool {
        self.seen().pings.contains_key(&ticket)
    }

    /// Asserts that every answer was an ACK with data.
    #[track_caller]
    pub fn assert_no_nack(&self) {
        for (frame, _) in &self.seen().answers {
            assert_eq!(frame.command, Command::Ack.code(), "{frame:?}");
            assert!(!frame.data.is_empty(), "{frame:?}");
        }
    }

    /// Closes every connection and stops listening.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Listens again on the same port, with the same jobs.
    pub fn resume(&mut self) {
        let (runtime, _) = serve(&self.inner, self.at);
        self.runtime = Some(runtime);
    }

    /// Drops all jobs, as a restart of Falafel does.
    pub fn forget(&self) {
        self.seen().jobs.clear();
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(inner: &Arc<StubState>, at: SocketAddr) -> (Runtime, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let app = Router::new()
        .route("/get-job", get(get_job))
        .route("/ping", get(ping))
        .route("/job-complete", post(complete))
        .layer(DefaultBodyLimit::disable())
        .with_state(inner.clone());
    let (sender, receiver) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        let listener = loop {
            // The previous server's port may still be in use for a moment.
            if let Ok(listener) = TcpListener::bind(at).await {
                break listener;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        sender.send(listener.local_addr().unwrap()).unwrap();
        axum::serve(listener, app).await.unwrap();
    });
    let at = receiver.recv().unwrap();
    (runtime, at)
}

async fn get_job(State(inner): State<Arc<StubState>>) -> Response {
    inner.seen.lock().unwrap().polls += 1;
    let _head = inner.head.lock().await;
    loop {
        let changed = inner.changed.notified();
        if let Some(response) = next(&inner) {
            return response;
        }
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
}

fn next(inner: &StubState) -> Option<Response> {
    let mut seen = inner.seen.lock().unwrap();
    match seen.odd.pop_front() {
        Some(Odd::Empty) => return Some(Bytes::new().into_response()),
        Some(Odd::Status(code)) => {
            let page = "x".repeat(100);
            return Some((StatusCode::from_u16(code).unwrap(), page).into_response());
        }
        Some(Odd::Body(body)) => return Some(body.into_response()),
        Some(Odd::Endless(start)) => {
            let zeros = stream::repeat(Bytes::from_static(&[0; 1024]));
            let body = stream::iter([start]).chain(zeros).map(Ok::<_, Infallible>);
            return Some(Body::from_stream(body).into_response());
        }
        None => {}
    }
    let expired = |job: &&mut StubJob| job.stamp.is_none_or(|at| at.elapsed() > inner.lease);
    let job = seen.jobs.iter_mut().find(expired)?;
    job.stamp = Some(Instant::now());
    let frame = job.frame.clone();
    *seen.issued.entry(frame.ticket).or_default() += 1;
    Some(frame.to_bytes().into_response())
}

async fn ping(State(inner): State<Arc<StubState>>, RawQuery(query): RawQuery) -> &'static str {
    let query = query.unwrap_or_default();
    let id: Option<TicketId> = query.strip_prefix("job-id=").and_then(|id| id.parse().ok());
    if let Some(id) = id {
        let mut seen = inner.seen.lock().unwrap();
        let now = Instant::now();
        if let Some(job) = seen.jobs.iter_mut().find(|job| job.frame.ticket == id) {
            job.stamp = Some(now);
        }
        let (last, worst) = seen
            .pings
            .get(&id)
            .copied()
            .unwrap_or((now, Duration::ZERO));
        seen.pings.insert(id, (now, worst.max(now - last)));
    }
    "OK"
}

async fn complete(State(inner): State<Arc<StubState>>, body: Bytes) -> StatusCode {
    let mut seen = inner.seen.lock().unwrap();
    if seen.refuse_answers > 0 {
        seen.refuse_answers -= 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let Ok(frame) = Frame::parse(&body) else {
        return StatusCode::INTERNAL_SERVER_ERROR;
    };
    let before = seen.jobs.len();
    seen.jobs.retain(|job| job.frame.ticket != frame.ticket);
    let known = seen.jobs.len() < before;
    seen.answers.push((frame, known));
    StatusCode::OK
}
