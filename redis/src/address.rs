//! The address of a Redis, and the client for it.

use std::{fmt, time::Duration};

use redis::{
    Client, ClientTlsConfig, IntoConnectionInfo, TlsCertificates,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use url::Url;

/// How long a peer may acknowledge no data before TCP closes the connection.
const PEER_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest namespace, in characters.
const NAMESPACE_CHARS: usize = 64;

/// The address of a Redis, and the namespace of zkWhirl's keys. `Display` and
/// `Debug` show neither user nor password nor certificates.
#[derive(Clone)]
pub struct RedisAddress {
    /// `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS.
    pub url: Url,
    /// All keys begin with `zkwhirl:{namespace}:`, so different namespaces share no
    /// key. 1 to 64 of `a-z A-Z 0-9 . _ -`.
    pub namespace: String,
    /// The certificates for `rediss://`.
    pub tls: RedisTls,
}

/// The certificates for `rediss://`, in PEM.
#[derive(Clone, Default)]
pub struct RedisTls {
    /// The authority that signed the server's certificate; `None`: any public
    /// authority.
    pub authority: Option<Vec<u8>>,
    /// The client certificate and its key, for a server that requires them.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

/// Why an address cannot be used, without its user and password: the URL is no
/// Redis URL, a certificate cannot be read, or the namespace has other characters,
/// none or too many. An operator must correct the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RedisAddressError(String);

impl RedisAddress {
    /// Makes the address of `url` and `namespace`, with public authorities.
    pub fn new(url: Url, namespace: impl Into<String>) -> Self {
        Self {
            url,
            namespace: namespace.into(),
            tls: RedisTls::default(),
        }
    }

    /// The prefix of all keys.
    pub fn prefix(&self) -> String {
        // The braces put all keys into one slot of a Redis cluster.
        format!("zkwhirl:{{{}}}:", self.namespace)
    }

    /// Makes a client, which connects later: Redis need not be reachable now.
    pub fn client(&self) -> Result<Client, RedisAddressError> {
        let name = &self.namespace;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > NAMESPACE_CHARS || !name.chars().all(allowed) {
            let must = "1 to 64 of a-z A-Z 0-9 . _ - are needed";
            let why = format!("{name:?} is no namespace: {must}");
            return Err(RedisAddressError(why));
        }
        let info = self.url.as_str().into_connection_info();
        // The client's errors contain no address, so no password.
        let info = info.map_err(|error| self.unusable(error))?;
        let info = info.set_tcp_settings(tcp());
        if self.url.scheme() != "rediss" {
            return Client::open(info).map_err(|error| self.unusable(error));
        }
        // An error means that another provider is installed, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Some(certificates) = self.tls.certificates() else {
            return Err(self.unusable("the authority's file holds no certificate"));
        };
        Client::build_with_tls(info, certificates).map_err(|error| self.unusable(error))
    }

    /// The error that says why this address cannot be used.
    pub fn unusable(&self, why: impl fmt::Display) -> RedisAddressError {
        RedisAddressError(format!("the redis address {self} cannot be used: {why}"))
    }
}

impl RedisTls {
    /// `None`: the authority's file holds no certificate, so no connection could
    /// ever be made.
    fn certificates(&self) -> Option<TlsCertificates> {
        if let Some(authority) = &self.authority {
            let mut certificates = CertificateDer::pem_slice_iter(authority).flatten();
            certificates.next()?;
        }
        let client_tls = self.client.as_ref().map(|(cert, key)| ClientTlsConfig {
            client_cert: cert.clone(),
            client_key: key.clone(),
        });
        Some(TlsCertificates {
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

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host) = (self.url.scheme(), self.url.host_str().unwrap_or("?"));
        let port = self.url.port().unwrap_or(6379);
        write!(f, "{scheme}://{host}:{port}{}", self.url.path())
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RedisAddress({self} {:?} {:?})",
            self.namespace, self.tls
        )
    }
}

impl fmt::Debug for RedisTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (authority, client) = (self.authority.is_some(), self.client.is_some());
        write!(f, "RedisTls(authority: {authority}, client: {client})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> RedisAddress {
        RedisAddress::new(url.parse().unwrap(), "main")
    }

    #[test]
    fn a_password_is_never_shown() {
        let mut address = address("rediss://me:secret@db.example:7000/3");
        address.tls.client = Some((b"cert".to_vec(), b"secret".to_vec()));
        address.tls.authority = Some(b"secret".to_vec());
        let error = address.client().unwrap_err();
        let (address, debug) = (address.to_string(), format!("{address:?}"));
        for shown in [address, debug, error.to_string(), format!("{error:?}")] {
            let secret = shown.contains("secret") || shown.contains("me:");
            assert!(!secret, "{shown}");
            assert!(shown.contains("rediss://db.example:7000/3"), "{shown}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_is_told_with_the_reason() {
        for (url, why) in [
            ("http://localhost:1/", "Redis URL did not parse"),
            ("redis://localhost:1/number", "Invalid database number"),
        ] {
            let error = address(url).client().unwrap_err().to_string();
            let told = format!("the redis address {url} cannot be used: ");
            assert!(error.starts_with(&told) && error.contains(why), "{error}");
        }
        let mut address = address("rediss://localhost");
        address.tls.authority = Some(b"no pem".to_vec());
        let error = address.client().unwrap_err().to_string();
        let why = "cannot be used: the authority's file holds no certificate";
        assert!(error.ends_with(why), "{error}");
    }

    #[test]
    fn a_namespace_has_its_letters_and_begins_every_key() {
        let mut address = address("redis://localhost");
        for good in ["main", "a", "A-z_0.9", &"n".repeat(64)] {
            address.namespace = good.to_owned();
            assert!(address.client().is_ok(), "{good:?}");
            assert_eq!(address.prefix(), format!("zkwhirl:{{{good}}}:"));
        }
        for bad in ["", "a b", "{x}", "\u{e9}", &"n".repeat(65)] {
            address.namespace = bad.to_owned();
            let error = address.client().unwrap_err().to_string();
            let why = format!("{bad:?} is no namespace: ");
            assert!(error.starts_with(&why), "{error}");
        }
    }
}
