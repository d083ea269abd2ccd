//! From a path to its answer.

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;

use super::{Action, Inner, page, read::Wanted, stream};
use zkwhirl_job::clock;

/// How long a view may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest body of an action.
const BODY: usize = 64 << 10;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) why: String,
}

impl Refusal {
    pub(super) fn bad(why: String) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            why,
        }
    }

    pub(super) fn unknown(why: String) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            why,
        }
    }

    pub(super) fn away(why: String) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            why,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Why<'a> {
            error: &'a str,
        }
        let mut response = json(&Why { error: &self.why });
        *response.status_mut() = self.status;
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

type Console = State<Arc<Inner>>;

pub(super) fn router(console: Arc<Inner>) -> Router {
    let api = Router::new()
        .route(
            "/status",
            get(async |State(c): Console| json(&c.status().await)),
        )
        .route(
            "/rollups",
            get(async |State(c): Console| view(c.rollups()).await),
        )
        .route("/jobs", get(jobs))
        .route("/jobs/{id}", get(job))
        .route(
            "/workers",
            get(async |State(c): Console| view(c.workers()).await),
        )
        .route("/dead", get(async |State(c): Console| view(c.dead()).await))
        .route("/dead/{id}/request", get(request))
        .route("/keys", get(async |State(c): Console| view(c.keys()).await))
        .route(
            "/queues",
            get(async |State(c): Console| view(c.queues()).await),
        )
        .route("/audit", get(async |State(c): Console| json(&c.deeds())))
        .route("/events", get(stream::events))
        .route("/actions", post(action))
        .layer(DefaultBodyLimit::max(BODY))
        .fallback(async || Refusal::unknown("there is no such view".to_owned()));
    Router::new()
        .route("/console", get(page::index))
        .route("/console/", get(page::index))
        .route("/console/runbook.md", get(page::runbook))
        .route("/console/{asset}", get(page::asset))
        .nest("/console/api", api)
        .with_state(console)
}

async fn jobs(State(console): Console, Query(wanted): Query<Wanted>) -> Response {
    view(console.jobs(&wanted)).await
}

async fn job(State(console): Console, Path(id): Path<String>) -> Response {
    view(console.job(&id)).await
}

/// The bytes that a dead job asks to prove: `zkwhirl prove` takes them.
async fn request(State(console): Console, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let read = async {
        let who = console.allow(&headers)?;
        let job = console.named(&id).await?;
        let ledger = console.config.bridge.ledger();
        let letter = console.config.bridge.broker().dead_letter(job).await;
        let letter = letter.map_err(|error| Refusal::away(error.to_string()))?;
        if letter.is_none() {
            let why = format!("job {} is no dead letter", job.short());
            return Err(Refusal::unknown(why));
        }
        let request = ledger.request(job).await;
        let request = request.map_err(|error| Refusal::away(error.to_string()))?;
        let request = request.ok_or_else(|| {
            Refusal::unknown(format!("the request of job {} is not kept", job.short()))
        })?;
        console.audit.write(super::views::Deed {
            at_ms: clock::now_ms(),
            who,
            what: "download".to_owned(),
            on: job.to_string(),
            text: format!("{} bytes", request.len()),
            done: true,
        });
        let name = format!("attachment; filename=\"{job}.bin\"");
        let kind = [
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ];
        Ok((kind, request).into_response())
    };
    within(read).await.unwrap_or_else(Refusal::into_response)
}

async fn action(State(console): Console, headers: HeaderMap, body: Bytes) -> Response {
    let act = async {
        let who = console.allow(&headers)?;
        let action: Action = serde_json::from_slice(&body)
            .map_err(|error| Refusal::bad(format!("this is no action: {error}")))?;
        console.act(who, action).await
    };
    match act.await {
        Ok(acted) => json(&acted),
        Err(refusal) => refusal.into_response(),
    }
}

async fn within<T>(view: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let read = tokio::time::timeout(PATIENCE, view).await;
    read.unwrap_or_else(|_| Err(Refusal::away(format!("no answer within {PATIENCE:?}"))))
}

async fn view<T: Serialize>(view: impl Future<Output = Result<T, Refusal>>) -> Response {
    match within(view).await {
        Ok(value) => json(&value),
        Err(refusal) => refusal.into_response(),
    }
}

fn json(value: &impl Serialize) -> Response {
    let text = serde_json::to_string(value).expect("views are plain data");
    let kind = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (kind, Body::from(text)).into_response()
}
