//! Halloumi's HTTP API, route by route, for its existing callers.
//!
//! A proof that a caller requests here is a job like any other: queued, retried and
//! verified, and the same job as an equal request of Falafel; see
//! [`BridgeHandle::ask`](crate::BridgeHandle::ask). Differences to Halloumi: a body
//! has a limit, `/reset` requires a token and loses no job, and `/metrics` has
//! zkWhirl's metrics.

mod routes;
#[cfg(test)]
mod tests;

use std::{fmt, io, sync::Arc};

use axum::Router;
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use crate::BridgeHandle;

/// How many request bodies are read at the same time; further requests wait.
const BODIES: usize = 32;

/// The functions of the process that serves the API.
pub trait ApiHost: Send + Sync {
    /// How many provers have started and take jobs.
    fn ready_provers(&self) -> usize;

    /// Whether a prover was ever ready. From then on the API accepts jobs.
    fn has_started(&self) -> bool;

    /// The page of this process's metrics, in Prometheus' text format.
    fn metrics(&self) -> String;
}

impl fmt::Debug for dyn ApiHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiHost")
    }
}

/// The API of one bridge.
#[derive(Debug, Clone)]
pub struct Api {
    /// The bridge that handles the requests.
    pub bridge: BridgeHandle,
    /// The process that serves the API.
    pub host: Arc<dyn ApiHost>,
    /// The prefix of every route: empty, or `/name` without a slash at its end.
    pub prefix: String,
    /// The token that allows `/reset`; `None`: `/reset` is off.
    pub admin: Option<AdminToken>,
}

/// The token that authenticates an operator. Only the token's digest is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminToken([u8; 32]);

impl AdminToken {
    /// Makes the token of this text.
    pub fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Whether a text is the token. Compares digests, so that the time of a comparison
    /// does not reveal the token.
    pub fn is(&self, text: &str) -> bool {
        *self == Self::new(text)
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(…)")
    }
}

impl Api {
    /// Serves until `stop` is cancelled and the present requests are answered.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let serving = Arc::new((self, Semaphore::new(BODIES)));
        let router = Router::new().fallback(routes::answer).with_state(serving);
        axum::serve(listener, router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    }
}
