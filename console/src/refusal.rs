use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use zkwhirl_bridge::OperatorError;
use zkwhirl_broker_adapter::BrokerError;
use zkwhirl_job::JobId;
use zkwhirl_ledger::LedgerError;

/// Why a request failed, as an HTTP response with JSON `{"error": why}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) why: String,
}

impl Refusal {
    /// The request is wrong.
    pub(super) fn bad(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    /// The job, the dead letter or the view does not exist.
    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, why)
    }

    pub(super) fn unknown_job(job: JobId) -> Self {
        Self::unknown(format!("no job {job} is known"))
    }

    /// Temporary: the ledger or the broker does not answer, or a limit is reached.
    pub(super) fn away(why: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, why)
    }

    pub(super) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { status, why }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Self::away(error.to_string())
    }
}

/// The job's state does not allow the operator's action, or the job no longer
/// exists.
impl From<OperatorError> for Refusal {
    fn from(error: OperatorError) -> Self {
        Self::bad(error.to_string())
    }
}

impl From<BrokerError> for Refusal {
    fn from(error: BrokerError) -> Self {
        Self::away(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json(&serde_json::json!({ "error": self.why }));
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

pub(super) fn json(value: &impl Serialize) -> Response {
    let text = serde_json::to_string(value).expect("views have only string keys");
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from(text)).into_response()
}
