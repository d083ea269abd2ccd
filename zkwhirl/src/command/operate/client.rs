//! A client of the console's API.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;
use zkwhirl_console::{ActionOutcome, OperatorAction};

use crate::cli::AskArgs;

/// Longer than the bridge waits for an action.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why there is no answer, by exit code.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// Exit code 3.
    #[error("{0}")]
    NotAllowed(String),
    /// Exit code 4.
    #[error("{0}")]
    Away(String),
}

impl Refused {
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::NotAllowed(_) => 3,
            Self::Away(_) => 4,
        }
    }
}

/// The bridge whose console is asked.
pub(super) struct BridgeClient {
    base: Url,
    token: Option<String>,
    client: Client,
}

impl BridgeClient {
    pub(super) fn new(args: &AskArgs) -> anyhow::Result<Self> {
        let base = args.bridge.clone();
        anyhow::ensure!(
            base.scheme() == "http" && base.has_host(),
            "--bridge {base} is no http URL: it must look like http://127.0.0.1:9464"
        );
        Ok(Self {
            base,
            token: args.operator_token.clone(),
            client: Client::builder().timeout(PATIENCE).no_proxy().build()?,
        })
    }

    fn url(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.base.clone();
        url.set_path("/console/api");
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, Refused> {
        let answer = request.send().await.map_err(|error| self.away(&error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| self.away(&error))?;
        if status.is_success() {
            return Ok(body.into());
        }
        #[derive(Deserialize)]
        struct Why {
            error: String,
        }
        let why = serde_json::from_slice(&body).map_or_else(
            |_| {
                format!(
                    "{} has no console (HTTP {status}): a worker? A bridge's first lines say \
                     where its console is: --bridge http://HOST:PORT",
                    self.base
                )
            },
            |why: Why| why.error,
        );
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Refused::NotAllowed(why),
            _ => Refused::Failed(why),
        })
    }

    fn away(&self, error: &reqwest::Error) -> Refused {
        let why = match error.is_timeout() {
            true => format!("no answer within {PATIENCE:?}"),
            false => "connection refused".to_owned(),
        };
        let why = if error.is_connect() || error.is_timeout() {
            why
        } else {
            error.to_string()
        };
        Refused::Away(format!(
            "cannot reach the bridge at {} ({why})\n  \
             is it running?  its first lines say where its console is      \
             another one: --bridge http://HOST:PORT",
            self.base
        ))
    }

    /// The bytes of a view.
    pub(super) async fn read(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Vec<u8>, Refused> {
        self.send(self.client.get(self.url(path, query))).await
    }

    /// The bytes of a view that only operators see.
    pub(super) async fn read_as_operator(&self, path: &[&str]) -> Result<Vec<u8>, Refused> {
        let request = self.client.get(self.url(path, &[]));
        self.send(self.show_token(request)?).await
    }

    /// Does something to some jobs or workers.
    pub(super) async fn act(
        &self,
        act: OperatorAction,
        on: &[String],
        reason: &str,
        confirm: &str,
    ) -> Result<Vec<ActionOutcome>, Refused> {
        let action = serde_json::json!({
            "act": act, "on": on, "reason": reason, "confirm": confirm,
        });
        let request = self.client.post(self.url(&["actions"], &[]));
        let request = self.show_token(request)?.body(action.to_string());
        parse(&self.send(request).await?)
    }

    fn show_token(&self, request: RequestBuilder) -> Result<RequestBuilder, Refused> {
        let Some(token) = &self.token else {
            return Err(Refused::NotAllowed(
                "this needs the operator's token: set ZKWHIRL_OPERATOR_TOKEN to the bridge's, \
                 or give --operator-token"
                    .to_owned(),
            ));
        };
        let who = std::env::var("USER").unwrap_or_default();
        let plain = |c: &char| c.is_ascii_graphic();
        let who: String = who.chars().filter(plain).collect();
        let who = if who.is_empty() { "operator" } else { &who };
        let request = request.header("authorization", format!("Bearer {token}"));
        Ok(request.header("x-zkwhirl-operator", who))
    }
}

/// Parses an answer.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| {
        Refused::Failed(format!(
            "the bridge answers what this release does not understand: {error}"
        ))
    })
}
