//! The three calls of a job server.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{RequestBuilder, StatusCode, redirect};
use url::Url;
use zkwhirl_job::{Frame, FrameError, TicketId};

/// How long a connection may take to be made.
pub(crate) const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer to `/job-complete` may take; the largest is 2 MiB.
const COMPLETE: Duration = Duration::from_secs(30);
/// Node closes idle connections after 5 s; ours are gone before that, so that
/// none is reset exactly when it is used.
const IDLE: Duration = Duration::from_secs(3);
/// Bytes that are read of an answer of which only the status counts.
const STATUS_PAGE: usize = 4 << 10;

/// Why a call of a server failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection could be made, for the operating system's reason: nothing
    /// was asked.
    #[error("cannot connect to {0} ({1})")]
    Connect(Url, String),
    /// The connection broke, for a reason, or the answer did not come in time.
    #[error("the connection to {0} broke ({1})")]
    Broken(Url, String),
    /// An answer with a status that is not 200.
    #[error("{0} answered {1}")]
    Status(Url, StatusCode),
    /// A body that is no frame.
    #[error("{0} sent no frame: {1}")]
    Garbage(Url, #[source] FrameError),
}

/// A client of one job server. It follows no redirects and uses no proxy: the
/// operator has configured the address.
#[derive(Debug, Clone)]
pub struct Client {
    base: Url,
    poll: reqwest::Client,
    calls: reqwest::Client,
}

impl Client {
    /// A client of the server at `base`. It must be made on the runtime that
    /// uses it: connections belong to one.
    pub fn new(base: Url) -> Self {
        let builder = || {
            reqwest::Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .connect_timeout(CONNECT)
                .tcp_nodelay(true)
                .tcp_keepalive(Duration::from_secs(15))
                .pool_idle_timeout(IDLE)
        };
        // Each poll has a new connection of its own: the reset of a pooled
        // connection would look like a lost poll.
        let poll = builder().pool_max_idle_per_host(0).build();
        let calls = builder().timeout(COMPLETE).build();
        let why = "these options need no TLS back-end and no resolver";
        Self {
            base,
            poll: poll.expect(why),
            calls: calls.expect(why),
        }
    }

    /// `GET /get-job`: waits for a job as long as it takes. Its data, if longer than
    /// any request, are cut behind the first byte that is too much: the ticket must
    /// be kept alive all the same. `None`: the server is stopping. Do not drop this
    /// future while its connection lives: the server would hand the next job
    /// to it and nobody would have it for 5–6 s.
    pub async fn get_job(&self) -> Result<Option<Frame>, ClientError> {
        let request = self.poll.get(self.url("get-job"));
        let body = self.call(request, Frame::LIMIT + 1).await?;
        if body.is_empty() {
            return Ok(None);
        }
        let garbage = |error| ClientError::Garbage(self.base.clone(), error);
        Frame::split(&body).map(Some).map_err(garbage)
    }

    /// `GET /ping`: renews a ticket's lease. `Ok` does not mean that the
    /// server knows the ticket.
    pub async fn ping(&self, ticket: TicketId, within: Duration) -> Result<(), ClientError> {
        let mut url = self.url("ping");
        url.set_query(Some(&format!("job-id={ticket}")));
        let request = self.calls.get(url).timeout(within);
        // Read to the end, so that the connection can be used again.
        self.call(request, STATUS_PAGE).await.map(drop)
    }

    /// `POST /job-complete`: answers a ticket. `Ok` means that the server has
    /// read the answer, known ticket or not.
    pub async fn complete(&self, frame: Bytes) -> Result<(), ClientError> {
        let request = self.calls.post(self.url("job-complete")).body(frame);
        self.call(request, STATUS_PAGE).await.map(drop)
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        url
    }

    /// The body of an answer that is 200, at most its first `most` bytes. The rest
    /// is not read: the connection is closed.
    async fn call(&self, request: RequestBuilder, most: usize) -> Result<Bytes, ClientError> {
        let response = request.send().await;
        let mut response = response.map_err(|error| self.error(&error))?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(ClientError::Status(self.base.clone(), status));
        }
        // Growing by doubling would copy a large request twice.
        let expected = response.content_length().unwrap_or(0).min(most as u64);
        let mut body = BytesMut::with_capacity(expected as usize);
        while body.len() < most
            && let Some(chunk) = response.chunk().await.map_err(|e| self.error(&e))?
        {
            let room = most - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(body.freeze())
    }

    fn error(&self, error: &reqwest::Error) -> ClientError {
        // The innermost cause says what happened; the outer ones repeat it.
        let mut cause: &dyn Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let (base, reason) = (self.base.clone(), cause.to_string());
        if error.is_connect() {
            return ClientError::Connect(base, reason);
        }
        ClientError::Broken(base, reason)
    }
}
