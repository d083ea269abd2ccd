//! Where a Redis is, and how it is connected to.

use std::{fmt, time::Duration};

use redis::{
    Client, ClientTlsConfig, IntoConnectionInfo, RedisError, TlsCertificates,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use url::Url;

/// A peer that acknowledges nothing for so long is gone, not slow.
const PEER_TIMEOUT: Duration = Duration::from_secs(10);
/// Characters of the longest namespace.
const NAMESPACE: usize = 64;

/// Where a Redis is, and which of its keys are ours. Neither user nor password
/// nor certificates are ever shown; `Display` is the address without them.
#[derive(Clone)]
pub struct Place {
    /// `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS.
    pub url: Url,
    /// Keys begin with `zkwhirl:{namespace}:`: places with different ones share
    /// a Redis and nothing else. 1 to 64 of `a-z A-Z 0-9 . _ -`.
    pub namespace: String,
    /// For `rediss://`: certificates other than the public ones.
    pub tls: Tls,
}

/// Certificates for `rediss://`, in PEM.
#[derive(Clone, Default)]
pub struct Tls {
    /// The authority that signed the server's certificate; `None`: the public
    /// ones.
    pub authority: Option<Vec<u8>>,
    /// Our certificate and its key, for a server that asks for one.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

/// A place that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Not a URL of a Redis, or certificates that cannot be read.
    #[error("the redis address {place} cannot be used: {why}")]
    Address {
        /// The address without user and password.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// A namespace with other characters, none or too many.
    #[error("{0:?} is no namespace: 1 to 64 of a-z A-Z 0-9 . _ - are needed")]
    Namespace(String),
}

impl Place {
    /// What is `namespace`'s at `url`, with public certificates.
    pub fn new(url: Url, namespace: impl Into<String>) -> Self {
        Self {
            url,
            namespace: namespace.into(),
            tls: Tls::default(),
        }
    }

    /// What the names of all keys begin with.
    pub fn prefix(&self) -> String {
        // The braces put all keys into one slot of a Redis cluster.
        format!("zkwhirl:{{{}}}:", self.namespace)
    }

    /// What connections are made of. Nothing is connected yet, and Redis need not
    /// be reachable.
    pub fn client(&self) -> Result<Client, PlaceError> {
        self.check_namespace()?;
        self.open().map_err(|why| self.unusable(why))
    }

    /// The error of an address that is no good because of `why`.
    pub fn unusable(&self, why: impl fmt::Display) -> PlaceError {
        PlaceError::Address {
            place: self.to_string(),
            why: why.to_string(),
        }
    }

    fn check_namespace(&self) -> Result<(), PlaceError> {
        let name = &self.namespace;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > NAMESPACE || !name.chars().all(allowed) {
            return Err(PlaceError::Namespace(name.clone()));
        }
        Ok(())
    }

    fn open(&self) -> Result<Client, String> {
        // Errors of these calls carry no address, so no password.
        let text = |error: RedisError| error.to_string();
        let info = self.url.as_str().into_connection_info().map_err(text)?;
        let info = info.set_tcp_settings(tcp());
        if self.url.scheme() != "rediss" {
            return Client::open(info).map_err(text);
        }
        // Another provider that is installed already serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::build_with_tls(info, self.tls.certificates()?).map_err(text)
    }
}

impl Tls {
    fn certificates(&self) -> Result<TlsCertificates, String> {
        // Without one nothing would ever connect.
        if let Some(authority) = &self.authority
            && CertificateDer::pem_slice_iter(authority)
                .flatten()
                .next()
                .is_none()
        {
            return Err("the authority's file holds no certificate".to_owned());
        }
        let client_tls = self.client.as_ref().map(|(cert, key)| ClientTlsConfig {
            client_cert: cert.clone(),
            client_key: key.clone(),
        });
        Ok(TlsCertificates {
            client_tls,
            root_cert: self.authority.clone(),
        })
    }
}

fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(PEER_TIMEOUT)
        .with_interval(PEER_TIMEOUT / 4);
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(PEER_TIMEOUT);
    settings
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host) = (self.url.scheme(), self.url.host_str().unwrap_or("?"));
        let port = self.url.port().unwrap_or(6379);
        write!(f, "{scheme}://{host}:{port}{}", self.url.path())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("url", &self.to_string())
            .field("namespace", &self.namespace)
            .field("tls", &self.tls)
            .finish()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("authority", &self.authority.is_some())
            .field("client", &self.client.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Place {
        Place::new(url.parse().unwrap(), "main")
    }

    #[test]
    fn a_password_is_never_shown() {
        let mut place = place("rediss://me:secret@db.example:7000/3");
        place.tls.client = Some((b"cert".to_vec(), b"secret".to_vec()));
        place.tls.authority = Some(b"secret".to_vec());
        let error = place.client().unwrap_err();
        for shown in [
            place.to_string(),
            format!("{place:?}"),
            error.to_string(),
            format!("{error:?}"),
        ] {
            assert!(
                !shown.contains("secret") && !shown.contains("me:"),
                "{shown}"
            );
            assert!(shown.contains("rediss://db.example:7000/3"), "{shown}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_is_told_with_the_reason() {
        for (url, why) in [
            ("http://localhost:1/", "Redis URL did not parse"),
            ("redis://localhost:1/number", "Invalid database number"),
        ] {
            let error = place(url).client().unwrap_err().to_string();
            let told = format!("the redis address {url} cannot be used: ");
            assert!(error.starts_with(&told) && error.contains(why), "{error}");
        }
        let mut place = place("rediss://localhost");
        place.tls.authority = Some(b"no pem".to_vec());
        let error = place.client().unwrap_err().to_string();
        let why = "cannot be used: the authority's file holds no certificate";
        assert!(error.ends_with(why), "{error}");
    }

    #[test]
    fn a_namespace_has_its_letters_and_begins_every_key() {
        let mut place = place("redis://localhost");
        for good in ["main", "a", "A-z_0.9", &"n".repeat(64)] {
            place.namespace = good.to_owned();
            assert!(place.client().is_ok(), "{good:?}");
            assert_eq!(place.prefix(), format!("zkwhirl:{{{good}}}:"));
        }
        for bad in ["", "a b", "{x}", "\u{e9}", &"n".repeat(65)] {
            place.namespace = bad.to_owned();
            assert_eq!(
                place.client().unwrap_err(),
                PlaceError::Namespace(bad.to_owned())
            );
        }
    }
}
