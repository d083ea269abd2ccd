//! A client of Kubernetes' API for one request: an annotation on a pod, with
//! the rights of the pod's service account.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, StatusCode,
    client::conn::http1::{SendRequest, handshake},
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

/// The folder in which the kubelet mounts a pod's service account.
pub(crate) const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Largest response that is read, in bytes; a pod's description has about 10 KiB.
const ANSWER_BYTES: usize = 1 << 20;

#[derive(Debug, Clone)]
pub(crate) struct Kubernetes {
    api: Url,
    /// The folder with `token`, `namespace` and `ca.crt`.
    account: PathBuf,
}

/// One connection to the API server, with the token that was valid when it was
/// opened.
pub(crate) struct KubernetesConnection {
    requests: SendRequest<Full<Bytes>>,
    _driver: AbortOnDropHandle<()>,
    host: String,
    token: String,
    namespace: String,
}

impl Kubernetes {
    /// Fails unless `api` has the form `https://host[:port]`.
    pub(crate) fn new(api: Url, account: &Path) -> anyhow::Result<Self> {
        ensure!(
            api.scheme() == "https" && api.has_host() && api.path() == "/",
            "Kubernetes' API must be https://HOST:PORT, not {api}"
        );
        let account = account.to_owned();
        Ok(Self { api, account })
    }

    /// Connects; the server's certificate must be signed by the account's CA.
    /// Reads the account's files at each call, because the kubelet renews them.
    pub(crate) async fn connect(&self) -> anyhow::Result<KubernetesConnection> {
        let host = self.api.host_str().unwrap_or_default();
        let bare = host.trim_matches(['[', ']']);
        let port = self.api.port_or_known_default().unwrap_or(443);
        let token = self.text("token")?;
        let namespace = self.text("namespace")?;
        let tls = TlsConnector::from(Arc::new(self.tls()?));
        let name = ServerName::try_from(bare.to_owned())
            .with_context(|| format!("{bare} is not a server name"))?;
        let away = || format!("cannot connect to Kubernetes' API at {}", self.api);
        let wire = TcpStream::connect((bare, port)).await.with_context(away)?;
        let wire = tls.connect(name, wire).await.with_context(away)?;
        let (requests, driver) = handshake(TokioIo::new(wire)).await.with_context(away)?;
        let driver = tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!("lost the connection to Kubernetes' API: {error}");
            }
        });
        Ok(KubernetesConnection {
            requests,
            _driver: AbortOnDropHandle::new(driver),
            host: format!("{host}:{port}"),
            token,
            namespace,
        })
    }

    fn tls(&self) -> anyhow::Result<ClientConfig> {
        let file = self.account.join("ca.crt");
        let unfit = || format!("{} holds no certificates", file.display());
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&file).with_context(unfit)? {
            roots.add(certificate.with_context(unfit)?)?;
        }
        ensure!(!roots.is_empty(), unfit());
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        Ok(config.with_no_client_auth())
    }

    fn text(&self, name: &str) -> anyhow::Result<String> {
        let file = self.account.join(name);
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(text.trim().to_owned())
    }
}

impl KubernetesConnection {
    /// Sets an annotation of a pod in the account's namespace. Returns `Ok` for a
    /// pod that no longer exists.
    pub(crate) async fn annotate(
        &mut self,
        pod: &str,
        annotation: &str,
        value: &str,
    ) -> anyhow::Result<()> {
        let mut path = Url::parse("https://api/api/v1/namespaces")?;
        if let Ok(mut segments) = path.path_segments_mut() {
            segments.extend([&self.namespace, "pods", pod]);
        }
        let patch = json!({"metadata": {"annotations": {annotation: value}}});
        let request = Request::builder()
            .method(Method::PATCH)
            .uri(path.path())
            .header(HOST, &self.host)
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/merge-patch+json")
            .body(Full::from(patch.to_string()))?;
        let lost = "lost the connection to Kubernetes' API";
        self.requests.ready().await.context(lost)?;
        let answer = self.requests.send_request(request).await.context(lost)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES).collect();
        let body = body.await.map_err(anyhow::Error::from_boxed)?.to_bytes();
        ensure!(
            status.is_success() || status == StatusCode::NOT_FOUND,
            "Kubernetes refused to annotate pod {pod}: {status}, {}",
            message(&body)
        );
        Ok(())
    }
}

/// The API server's error message, at most 300 characters.
fn message(body: &[u8]) -> String {
    let status: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = status["message"].as_str().unwrap_or("without a reason");
    message.chars().take(300).collect()
}
