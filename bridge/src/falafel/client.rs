//! The client of a job server, with its three calls.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{RequestBuilder, StatusCode, redirect};
use url::Url;
use zkwhirl_job::{Frame, FrameError, TicketId};

/// How long connecting may take.
pub(crate) const CONNECT: Duration = Duration::from_secs(3);
/// How long a call of `/job-complete` may take; the longest frame has 2 MiB.
const COMPLETE: Duration = Duration::from_secs(30);
/// How long idle connections are kept: less than the 5 s of Node's server, so that the
/// server does not close a connection just when it is used.
const IDLE: Duration = Duration::from_secs(3);
/// How many bytes are read of an answer of which only the status counts.
const STATUS_PAGE: usize = 4 << 10;

/// Why a call of a server failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection could be made, for the operating system's reason. No request was sent.
    #[error("cannot connect to {0} ({1})")]
    Connect(Url, String),
    /// The connection broke, for the given reason, or no answer arrived in time.
    #[error("the connection to {0} broke ({1})")]
    Broken(Url, String),
    /// The server answered with a status other than 200.
    #[error("{0} answered {1}")]
    Status(Url, StatusCode),
    /// The server answered with a body that is no frame.
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
    /// Makes a client of the server at `base`, on the runtime that will use the client:
    /// connections belong to one runtime.
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

    /// `GET /get-job`: waits for a job, without a time limit. Data beyond the limit of
    /// requests are cut after one byte too many: their ticket must be pinged all the
    /// same. `None`: the server is stopping. Do not drop this future while its connection
    /// lives: the server would send the next job to the dropped poll, and no bridge would
    /// get the job for 5–6 s.
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
        // The body is read to its end, so that the connection can be used again.
        self.call(request, STATUS_PAGE).await.map(drop)
    }

    /// `POST /job-complete`: answers a ticket. `Ok` means that the server has read the
    /// answer, even if it does not know the ticket.
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

    /// Sends a request and returns at most the first `most` bytes of the answer's body;
    /// a longer body closes the connection. Fails if the status is not 200.
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
        // The innermost cause is the reason; the outer errors only repeat it.
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
