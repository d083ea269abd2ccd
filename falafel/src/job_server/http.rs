//! The three routes of a job server.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::stream;
use zkwhirl_job::Frame;

use super::desk::Desk;

/// The routes, without limits or authentication, as in the original. A HEAD
/// request runs the handler of GET and so consumes a job.
pub(super) fn routes(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/get-job", get(get_job))
        .route("/ping", get(ping))
        .route("/job-complete", post(job_complete))
        .method_not_allowed_fallback(|| async {
            (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        })
        .fallback(|| async { (StatusCode::NOT_FOUND, "Not Found") })
        .layer(DefaultBodyLimit::disable())
        .with_state(desk)
}

async fn get_job(State(desk): State<Arc<Desk>>) -> Response {
    let pieces = desk
        .get_job()
        .await
        .map_or_else(|| [Bytes::new(), Bytes::new()], |frame| frame.to_pieces());
    let bytes: usize = pieces.iter().map(Bytes::len).sum();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
    ];
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)));
    (headers, body).into_response()
}

async fn ping(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let id = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("job-id="));
    let Some(id) = id else {
        return server_error();
    };
    if let Ok(ticket) = id.parse() {
        desk.ping(ticket);
    }
    "OK".into_response()
}

async fn job_complete(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    match Frame::parse(&body) {
        Ok(frame) => {
            desk.complete(frame);
            "OK".into_response()
        }
        Err(_) => server_error(),
    }
}

fn server_error() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
}
