//! The console's HTTP routes.

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;
use zkwhirl_job::clock;

use super::{
    act::ActionRequest,
    page,
    read::JobQuery,
    refusal::{Refusal, json},
    state::ConsoleState,
    stream,
    views::AuditEntry,
};

/// How long reading a view may take.
const VIEW_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest body of an action, in bytes.
const ACTION_BYTES: usize = 64 << 10;

type Shared = State<Arc<ConsoleState>>;

pub(super) fn router(console: Arc<ConsoleState>) -> Router {
    let status = async |State(console): Shared| json(&console.status().await);
    let rollups = async |State(console): Shared| view(console.rollups()).await;
    let workers = async |State(console): Shared| view(console.workers()).await;
    let dead = async |State(console): Shared| view(console.dead()).await;
    let keys = async |State(console): Shared| view(console.keys()).await;
    let queues = async |State(console): Shared| view(console.queues()).await;
    let audit = async |State(console): Shared| json(&console.audited());
    let api = Router::new()
        .route("/status", get(status))
        .route("/rollups", get(rollups))
        .route("/jobs", get(jobs))
        .route("/jobs/{id}", get(job))
        .route("/workers", get(workers))
        .route("/dead", get(dead))
        .route("/dead/{id}/request", get(request))
        .route("/keys", get(keys))
        .route("/queues", get(queues))
        .route("/audit", get(audit))
        .route("/events", get(stream::events))
        .route("/actions", post(action))
        .layer(DefaultBodyLimit::max(ACTION_BYTES))
        .fallback(async || Refusal::unknown("there is no such view"));
    Router::new()
        .route("/console", get(page::index))
        .route("/console/", get(page::index))
        .route("/console/runbook.md", get(page::runbook))
        .route("/console/{asset}", get(page::asset))
        .nest("/console/api", api)
        .with_state(console)
}

async fn jobs(State(console): Shared, Query(query): Query<JobQuery>) -> Response {
    view(console.jobs(&query)).await
}

async fn job(State(console): Shared, Path(id): Path<String>) -> Response {
    view(console.job(&id)).await
}

/// Answers with the request's bytes of a dead letter, as `zkwhirl prove` reads them.
async fn request(State(console): Shared, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let read = async {
        let who = console.allow(&headers)?;
        let job = console.find_job(&id).await?;
        let bridge = &console.config.bridge;
        if bridge.broker().dead_letter(job).await?.is_none() {
            let why = format!("job {} is not a dead letter", job.short());
            return Err(Refusal::unknown(why));
        }
        let Some(request) = bridge.ledger().request(job).await? else {
            let why = format!("the request of job {} is no longer stored", job.short());
            return Err(Refusal::unknown(why));
        };
        console.audit.write(AuditEntry {
            at_ms: clock::now_ms(),
            who,
            what: "download".to_owned(),
            on: job.to_string(),
            text: format!("{} bytes", request.len()),
            done: true,
        });
        let name = format!("attachment; filename=\"{job}.bin\"");
        let headers = [
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ];
        Ok((headers, request).into_response())
    };
    within(read).await.unwrap_or_else(Refusal::into_response)
}

async fn action(State(console): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let act = async {
        let who = console.allow(&headers)?;
        let action: ActionRequest = serde_json::from_slice(&body)
            .map_err(|error| Refusal::bad(format!("the body is no action: {error}")))?;
        console.act(who, action).await
    };
    answer(act.await)
}

async fn within<T>(view: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let read = tokio::time::timeout(VIEW_TIMEOUT, view).await;
    read.unwrap_or_else(|_| Err(Refusal::away(format!("no answer within {VIEW_TIMEOUT:?}"))))
}

async fn view<T: Serialize>(view: impl Future<Output = Result<T, Refusal>>) -> Response {
    answer(within(view).await)
}

fn answer<T: Serialize>(read: Result<T, Refusal>) -> Response {
    read.map_or_else(Refusal::into_response, |value| json(&value))
}
