//! The client of RabbitMQ's management API, for values that AMQP cannot read or set.

use std::time::Duration;

use reqwest::{Method, StatusCode, redirect};
use serde_json::Value;
use url::Url;

use super::config::Management;
use crate::BrokerError;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct ManagementApi {
    client: reqwest::Client,
    /// The API's URL, without user and password.
    base: Url,
    /// The user that this client logs in with.
    pub(super) user: String,
    password: String,
    shown: String,
}

impl ManagementApi {
    pub(super) fn new(management: &Management) -> Result<Self, BrokerError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| BrokerError::Refused(format!("no HTTP client: {error}")))?;
        let mut base = management.url.clone();
        let user = percent_decoded(base.username());
        let password = percent_decoded(base.password().unwrap_or_default());
        // Cannot fail: an http URL may have no user and no password.
        let _ = (base.set_username(""), base.set_password(None));
        Ok(Self {
            client,
            base,
            user,
            password,
            shown: management.to_string(),
        })
    }

    /// Reads the object at `path`. `None`: it does not exist.
    pub(super) async fn get(&self, path: &[&str]) -> Result<Option<Value>, BrokerError> {
        self.call(Method::GET, path, None).await
    }

    /// Makes or changes the object at `path`.
    pub(super) async fn put(&self, path: &[&str], body: &Value) -> Result<(), BrokerError> {
        let put = self.call(Method::PUT, path, Some(body)).await?;
        put.map(|_| ())
            .ok_or_else(|| self.away(path, "it does not exist"))
    }

    #[cfg(any(test, feature = "test-util"))]
    /// Removes the object at `path`, if it exists.
    pub(super) async fn delete(&self, path: &[&str]) -> Result<(), BrokerError> {
        self.call(Method::DELETE, path, None).await.map(|_| ())
    }

    pub(super) async fn queue(
        &self,
        vhost: &str,
        queue: &str,
    ) -> Result<Option<Value>, BrokerError> {
        self.get(&["queues", vhost, queue]).await
    }

    async fn call(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<Option<Value>, BrokerError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("api").extend(path);
        }
        let mut request = self
            .client
            .request(method, url)
            .basic_auth(&self.user, Some(&self.password))
            .header("content-type", "application/json");
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let failed = |error| self.away(path, &root_cause(&error));
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let text = response.text().await.map_err(failed)?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED => {
                let why = "the user or the password is wrong, or the user has no management tag";
                Err(self.away(path, why))
            }
            status if status.is_success() => Ok(Some(parse(&text))),
            status => Err(self.away(path, &format!("{status}: {}", reason(&text)))),
        }
    }

    fn away(&self, path: &[&str], why: &str) -> BrokerError {
        let (path, shown) = (path.join("/"), &self.shown);
        BrokerError::Away(format!("the management API {shown} ({path}): {why}"))
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// The first 200 characters of RabbitMQ's own error message.
fn reason(text: &str) -> String {
    let answer = parse(text);
    let said = answer["reason"].as_str().unwrap_or(text);
    said.chars().take(200).collect()
}

fn root_cause(error: &reqwest::Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |cause| cause.source());
    causes.last().unwrap_or(first).to_string()
}

fn percent_decoded(text: &str) -> String {
    // The available decoder reads `key=value` lists, where plus is a space.
    let list = format!("v={}", text.replace('+', "%2B").replace('&', "%26"));
    let pairs = url::form_urlencoded::parse(list.as_bytes());
    pairs.map(|(_, value)| value.into_owned()).collect()
}
