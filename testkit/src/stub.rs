//! A small Falafel for tests: real framing, leases, long polls, and faults on
//! demand. It runs on a runtime of its own, which can be stopped with all its
//! connections, and started again on the same port.

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

/// What `/get-job` says instead of a job.
#[derive(Debug)]
pub enum Odd {
    /// 200 without a body.
    Empty,
    /// Another status.
    Status(u16),
    /// 200 with this body.
    Body(Vec<u8>),
    /// These bytes, and zeros for as long as somebody reads.
    Endless(Bytes),
}

/// What the stub was asked and told.
#[derive(Debug, Default)]
pub struct Seen {
    jobs: Vec<StubJob>,
    odd: VecDeque<Odd>,
    next: u32,
    /// `/job-complete` fails this many times.
    pub refuse_answers: usize,
    /// Answers that were taken, in order, whether their ticket was known.
    pub answers: Vec<(Frame, bool)>,
    /// How often each ticket was handed out.
    pub issued: HashMap<TicketId, usize>,
    /// When each ticket was pinged last, and the longest gap so far.
    pub pings: HashMap<TicketId, (Instant, Duration)>,
    /// Long polls that are waiting.
    pub polls: usize,
}

#[derive(Debug)]
struct StubState {
    seen: Mutex<Seen>,
    changed: Notify,
    /// Pollers are served one after the other.
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
    /// A Falafel whose leases last as long as this.
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

    /// Where it listens.
    pub fn url(&self) -> Url {
        format!("http://{}", self.at).parse().unwrap()
    }

    /// What it has seen so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.inner.seen.lock().unwrap()
    }

    /// A new job with a fresh ticket.
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

    /// A new job with the ticket of its frame.
    pub fn ask_frame(&self, frame: Frame) {
        self.seen().jobs.push(StubJob { frame, stamp: None });
        self.inner.changed.notify_waiters();
    }

    /// A new proof job.
    pub fn ask_proof(&self, request: impl Into<Bytes>) -> TicketId {
        self.ask(Command::CreateProof.code(), request)
    }

    /// The next poll gets this instead of a job.
    pub fn say(&self, odd: Odd) {
        self.seen().odd.push_back(odd);
        self.inner.changed.notify_waiters();
    }

    /// The next poll gets this frame, whatever its ticket's lease.
    pub fn say_again(&self, frame: Frame) {
        self.say(Odd::Body(frame.to_bytes().to_vec()));
    }

    /// The answer to a ticket that was open when it came.
    pub fn answer(&self, ticket: TicketId) -> Option<Frame> {
        let seen = self.seen();
        let mut answers = seen.answers.iter();
        let answer = answers.find(|(frame, known)| frame.ticket == ticket && *known);
        answer.map(|(frame, _)| frame.clone())
    }

    /// How often it handed the ticket out.
    pub fn issued(&self, ticket: TicketId) -> usize {
        self.seen().issued.get(&ticket).copied().unwrap_or(0)
    }

    /// Whether the ticket was pinged.
    pub fn was_pinged(&self, ticket: TicketId) -> bool {
        self.seen().pings.contains_key(&ticket)
    }

    /// Nothing was NACKed, nothing but answers with data was sent.
    #[track_caller]
    pub fn assert_no_nack(&self) {
        for (frame, _) in &self.seen().answers {
            assert_eq!(frame.command, Command::Ack.code(), "{frame:?}");
            assert!(!frame.data.is_empty(), "{frame:?}");
        }
    }

    /// Breaks every connection and stops listening.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Listens again, with what it knew.
    pub fn resume(&mut self) {
        let (runtime, _) = serve(&self.inner, self.at);
        self.runtime = Some(runtime);
    }

    /// Forgets all jobs, as a restarted Falafel.
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
            // The port of the server before may be freed a moment later.
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
