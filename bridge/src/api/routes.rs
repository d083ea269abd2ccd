//! Answers each path as Koa and its router do: paths ignore case and a slash at their
//! end, HEAD is GET without the body, a method that a path does not have gives 405 with
//! the path's methods, and a method that HTTP servers rarely support gives
//! 501.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;
use tokio::{sync::Semaphore, time::Instant};
use zkwhirl_job::{Command, limits};
use zkwhirl_telemetry::catalogue::bridge::{API_REQUESTS, API_SECONDS};

use super::Api;
use crate::AskError;

/// How long the body of a request may take to arrive, including the wait for a permit.
const BODY: Duration = Duration::from_secs(60);

const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const BINARY: &str = "application/octet-stream";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Index,
    CreateProof,
    JoinSplitVk,
    AccountVk,
    Reset,
    Metrics,
}

impl Route {
    const ALL: [(Self, &str); 6] = [
        (Self::Index, "index"),
        (Self::CreateProof, "create-proof"),
        (Self::JoinSplitVk, "get-join-split-vk"),
        (Self::AccountVk, "get-account-vk"),
        (Self::Reset, "reset"),
        (Self::Metrics, "metrics"),
    ];

    /// Returns the route of a path with its name in metrics, which is the path after the
    /// prefix. The index has an empty path.
    fn of(path: &str, prefix: &str) -> Option<(Self, &'static str)> {
        let path = path.to_ascii_lowercase();
        let rest = path.strip_prefix(&prefix.to_ascii_lowercase())?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return Some(Self::ALL[0]);
        }
        let name = rest.strip_prefix('/')?;
        Self::ALL[1..]
            .iter()
            .find(|(_, known)| *known == name)
            .copied()
    }

    fn methods(self) -> &'static str {
        match self {
            Self::CreateProof => "POST",
            _ => "HEAD, GET",
        }
    }

    fn has(self, method: &Method) -> bool {
        self.methods().split(", ").any(|has| has == method.as_str())
    }
}

/// Answers any request.
pub(super) async fn answer(
    State(serving): State<Arc<(Api, Semaphore)>>,
    request: Request,
) -> Response {
    let (api, bodies) = &*serving;
    let method = request.method();
    let known = [
        Method::HEAD,
        Method::OPTIONS,
        Method::GET,
        Method::PUT,
        Method::PATCH,
        Method::POST,
        Method::DELETE,
    ];
    let known_route = Route::of(request.uri().path(), &api.prefix);
    let route = known_route.map(|(route, _)| route);
    let asked = Instant::now();
    let response = match route {
        Some(route) if route.has(method) => api.serve_route(route, request, bodies).await,
        _ if !known.contains(method) => text(StatusCode::NOT_IMPLEMENTED),
        None => text(StatusCode::NOT_FOUND),
        Some(route) => {
            let allow = [(header::ALLOW, route.methods())];
            match *method == Method::OPTIONS {
                true => (allow, "").into_response(),
                false => (allow, text(StatusCode::METHOD_NOT_ALLOWED)).into_response(),
            }
        }
    };
    let code = match response.status().as_u16() {
        ..400 => "2xx",
        400..500 => "4xx",
        500.. => "5xx",
    };
    API_REQUESTS.one([known_route.map_or("other", |(_, name)| name), code]);
    API_SECONDS.record([], asked.elapsed());
    response
}

impl Api {
    async fn serve_route(&self, route: Route, request: Request, bodies: &Semaphore) -> Response {
        match route {
            Route::Index => self.index(),
            Route::CreateProof if !self.host.has_started() => {
                error(StatusCode::SERVICE_UNAVAILABLE, "Server not ready.")
            }
            Route::CreateProof => match body(request, bodies).await {
                Ok(data) => self.ask(Command::CreateProof, data).await,
                Err(refusal) => refusal,
            },
            Route::JoinSplitVk => self.ask(Command::GetJoinSplitVk, Bytes::new()).await,
            Route::AccountVk => self.ask(Command::GetAccountVk, Bytes::new()).await,
            Route::Reset => self.reset(request.headers()).await,
            Route::Metrics => typed(StatusCode::OK, METRICS, self.host.metrics()),
        }
    }

    fn index(&self) -> Response {
        /// The index, with its fields in Halloumi's order.
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Index {
            service_name: &'static str,
            is_ready: bool,
        }
        json(
            StatusCode::OK,
            &Index {
                service_name: "halloumi",
                is_ready: self.host.ready_provers() > 0,
            },
        )
    }

    async fn ask(&self, command: Command, data: Bytes) -> Response {
        match self.bridge.ask(command, data).await {
            Ok(reply) => typed(StatusCode::OK, BINARY, reply),
            Err(refusal) => {
                let status = match refusal {
                    AskError::Inadmissible(_) | AskError::GivenUp(_) | AskError::Rejected(_) => {
                        StatusCode::BAD_REQUEST
                    }
                    AskError::Busy | AskError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
                };
                error(status, &refusal.to_string())
            }
        }
    }

    async fn reset(&self, headers: &HeaderMap) -> Response {
        let Some(admin) = &self.admin else {
            return error(
                StatusCode::FORBIDDEN,
                "reset is off: start with ZKWHIRL_ADMIN_TOKEN to turn it on",
            );
        };
        let shown = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        if !shown.is_some_and(|token| admin.is(token)) {
            let wanted = [(header::WWW_AUTHENTICATE, "Bearer")];
            let refusal = error(
                StatusCode::UNAUTHORIZED,
                "reset needs the header Authorization: Bearer and the token of ZKWHIRL_ADMIN_TOKEN",
            );
            return (wanted, refusal).into_response();
        }
        match self.bridge.restart_provers().await {
            Ok(()) => text(StatusCode::OK),
            Err(why) => error(StatusCode::SERVICE_UNAVAILABLE, &why.to_string()),
        }
    }
}

/// Reads the body of a request, up to the longest request's length.
async fn body(request: Request, bodies: &Semaphore) -> Result<Bytes, Response> {
    let read = async {
        // The semaphore is never closed.
        let _permit = bodies.acquire().await;
        to_bytes(request.into_body(), limits::REQUEST_BYTES).await
    };
    let read = tokio::time::timeout(BODY, read).await.map_err(|_| {
        let why = format!("the request did not arrive within {BODY:?}");
        error(StatusCode::REQUEST_TIMEOUT, &why)
    })?;
    read.map_err(|why| {
        let limit = limits::REQUEST_BYTES;
        let too_long = std::error::Error::source(&why)
            .is_some_and(|source| source.to_string().contains("length limit"));
        match too_long {
            true => error(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("the request has more than {limit} bytes"),
            ),
            false => error(
                StatusCode::BAD_REQUEST,
                &format!("the request did not arrive whole: {why}"),
            ),
        }
    })
}

/// Makes an answer of a status with its standard text.
fn text(status: StatusCode) -> Response {
    typed(status, TEXT, status.canonical_reason().unwrap_or_default())
}

fn error(status: StatusCode, why: &str) -> Response {
    #[derive(Serialize)]
    struct Refusal<'a> {
        error: &'a str,
    }
    json(status, &Refusal { error: why })
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let text = serde_json::to_string(value).expect("text and truth values are JSON");
    typed(status, JSON, text)
}

fn typed(status: StatusCode, content: &'static str, body: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, content)], body.into()).into_response()
}
