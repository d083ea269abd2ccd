//! A client of the console's API.

use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use zkwhirl_console::{ActionOutcome, ActionRequest};

use crate::{cli::AskArgs, shell::exit};

/// Timeout of a request; longer than the bridge waits for an action.
const PATIENCE: Duration = Duration::from_secs(20);

/// Exit code: the operator's token is missing, wrong, or not set up.
const NOT_ALLOWED: u8 = 3;
/// Exit code: the bridge does not answer.
const AWAY: u8 = 4;

pub(super) struct BridgeClient {
    base: Url,
    token: Option<String>,
    client: Client,
}

impl BridgeClient {
    pub(super) fn new(args: &AskArgs) -> anyhow::Result<Self> {
        let base = args.bridge.clone();
        if base.scheme() != "http" || !base.has_host() {
            return Err(exit::usage(anyhow!(
                "--bridge {base} is not an http URL: it must look like http://127.0.0.1:9464"
            )));
        }
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

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Vec<u8>> {
        let answer = request.send().await.map_err(|error| self.away(&error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| self.away(&error))?;
        if status.is_success() {
            return Ok(body.into());
        }
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let why = match answer["error"].as_str() {
            Some(why) => anyhow!("{why}"),
            None => anyhow!(
                "{} has no console (HTTP {status}): is it a worker? Give a bridge's admin \
                 address, which the bridge prints at its start: --bridge http://HOST:PORT",
                self.base
            ),
        };
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => exit::coded(NOT_ALLOWED, why),
            _ => why,
        })
    }

    fn away(&self, error: &reqwest::Error) -> anyhow::Error {
        let why = match error {
            error if error.is_timeout() => format!("no answer within {PATIENCE:?}"),
            error if error.is_connect() => "connection refused".to_owned(),
            error => error.to_string(),
        };
        let why = anyhow!(
            "cannot reach the bridge at {} ({why})\n  \
             is the bridge running? it prints its console's address at its start;      \
             another bridge: --bridge http://HOST:PORT",
            self.base
        );
        exit::coded(AWAY, why)
    }

    pub(super) async fn read(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> anyhow::Result<Vec<u8>> {
        self.send(self.client.get(self.url(path, query))).await
    }

    /// Reads a view that only operators may see.
    pub(super) async fn read_as_operator(&self, path: &[&str]) -> anyhow::Result<Vec<u8>> {
        let request = self.client.get(self.url(path, &[]));
        self.send(self.show_token(request)?).await
    }

    pub(super) async fn act(&self, action: &ActionRequest) -> anyhow::Result<Vec<ActionOutcome>> {
        let request = self.client.post(self.url(&["actions"], &[]));
        let request = self
            .show_token(request)?
            .body(serde_json::to_string(action)?);
        parse(&self.send(request).await?)
    }

    fn show_token(&self, request: RequestBuilder) -> anyhow::Result<RequestBuilder> {
        let Some(token) = &self.token else {
            let why = "this command needs the operator's token: set ZKWHIRL_OPERATOR_TOKEN to \
                       the bridge's token, or give --operator-token";
            return Err(exit::coded(NOT_ALLOWED, anyhow!(why)));
        };
        let who = std::env::var("USER").unwrap_or_default();
        let plain = |c: &char| c.is_ascii_graphic();
        let who: String = who.chars().filter(plain).collect();
        let who = if who.is_empty() { "operator" } else { &who };
        let request = request.header("authorization", format!("Bearer {token}"));
        Ok(request.header("x-zkwhirl-operator", who))
    }
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> anyhow::Result<T> {
    let parsed = serde_json::from_slice(body);
    parsed.context("cannot read the bridge's answer: is the bridge of another release?")
}
