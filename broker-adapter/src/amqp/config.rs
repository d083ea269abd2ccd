//! The settings of RabbitMQ: addresses, certificates, timeouts and limits.

use std::{fmt, str::FromStr, time::Duration};

use lapin::{
    tcp::{OwnedIdentity, OwnedTLSConfig},
    uri::{AMQPScheme, AMQPUri},
};
use url::Url;

use crate::{DELIVERY_LIMIT, Rung, UNREAD_LIMIT};

/// The settings of the AMQP back-end.
#[derive(Debug, Clone)]
pub struct AmqpConfig {
    /// RabbitMQ's nodes, tried in turn from a random one on, all with one vhost.
    pub hosts: Vec<Endpoint>,
    /// The management API, which provisioning, checks and the counts of jobs in
    /// flight need.
    pub management: Option<Management>,
    /// Certificates (PEM) that are trusted besides the system's, for `amqps://`.
    pub ca_pem: Option<String>,
    /// The TLS client certificate, if the broker requires one.
    pub identity: Option<Identity>,
    /// The process's name in RabbitMQ's list of connections.
    pub name: String,
    /// The heartbeat interval. Either side closes a connection that was silent for
    /// two intervals.
    pub heartbeat: Duration,
    /// How long connecting may take, TCP and all handshakes together.
    pub connect_timeout: Duration,
    /// How long one answer of the broker may take.
    pub call_timeout: Duration,
    /// How long the confirm of one message may take. Later the call fails, and the
    /// broker may or may not have the message.
    pub confirm_timeout: Duration,
    /// How long a call waits for a lost connection to be made again.
    pub patience: Duration,
    /// How long all counts must be zero before jobs are reported missing: several
    /// statistics intervals of the broker (5 s each by default).
    pub quiet: Duration,
    /// How long an unreadable message waits for a process that can read it before it
    /// becomes a dead letter of the class `version`; 24 hours by default.
    pub unread_limit: Duration,
    /// The limits that `provision` sets and the checks expect.
    pub limits: Limits,
}

/// The limits in the policies of the queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a job waits on each rung.
    pub delays: [Duration; 3],
    /// How many deliveries of a job may end without a settlement, at most; the next
    /// one makes the job a dead letter.
    pub delivery_limit: u32,
    /// How many messages a queue of jobs, of results or a rung holds, at most.
    pub queue_limit: usize,
    /// How many dead letters are held, at most.
    pub dead_limit: usize,
    /// How long a worker may hold a job: longer than the longest deadline.
    pub consumer_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            delays: Rung::ALL.map(Rung::delay),
            delivery_limit: DELIVERY_LIMIT,
            queue_limit: 16_384,
            dead_limit: 65_536,
            consumer_timeout: Duration::from_secs(4 * 3600),
        }
    }
}

impl AmqpConfig {
    /// The default settings for these nodes.
    pub fn new(hosts: Vec<Endpoint>) -> Self {
        Self {
            hosts,
            management: None,
            ca_pem: None,
            identity: None,
            name: "zkwhirl".into(),
            heartbeat: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(10),
            confirm_timeout: Duration::from_secs(30),
            patience: Duration::from_secs(5),
            quiet: Duration::from_secs(30),
            unread_limit: UNREAD_LIMIT,
            limits: Limits::default(),
        }
    }

    pub(super) fn tls(&self) -> OwnedTLSConfig {
        OwnedTLSConfig {
            identity: self.identity.as_ref().map(|identity| OwnedIdentity::PKCS8 {
                pem: identity.certificate_pem.clone().into_bytes(),
                key: identity.key_pem.clone().into_bytes(),
            }),
            cert_chain: self.ca_pem.clone(),
        }
    }

    pub(super) fn vhost(&self) -> &str {
        self.hosts.first().map_or("/", |host| &host.uri.vhost)
    }
}

/// A client certificate with its private key, both PEM. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, then the intermediate certificates up to the authority's.
    pub certificate_pem: String,
    /// The certificate's private key, PKCS#8.
    pub key_pem: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// A text that is no URL of RabbitMQ. The error does not show the text, which may
/// hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: {1}")]
pub struct UrlError(&'static str, String);

const ENDPOINT: &str = "an AMQP URL must look like amqp://user:password@host:5672/vhost";
const MANAGEMENT: &str = "a management URL must look like http://user:password@host:15672";

/// One RabbitMQ node: `amqp://user:password@host:port/vhost`, or `amqps://`.
/// `Display` and `Debug` show no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) uri: AMQPUri,
}

impl Endpoint {
    /// Reads a comma-separated list of endpoints.
    pub fn list(text: &str) -> Result<Vec<Self>, UrlError> {
        text.split(',').map(|one| one.trim().parse()).collect()
    }

    /// The user that logs in.
    pub fn user(&self) -> &str {
        &self.uri.authority.userinfo.username
    }
}

impl FromStr for Endpoint {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let error = |reason| UrlError(ENDPOINT, reason);
        let url = Url::parse(text).map_err(|e| error(e.to_string()))?;
        if !matches!(url.scheme(), "amqp" | "amqps") {
            return Err(error("the scheme must be amqp or amqps".into()));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| error("there is no host".into()))?;
        let mut uri = AMQPUri::from_str(text).map_err(|reason| error(reason.clone()))?;
        // The parser reads an IPv6 address as no host, and takes localhost instead.
        uri.authority.host = host.trim_matches(['[', ']']).to_owned();
        Ok(Self { uri })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.uri.scheme {
            AMQPScheme::AMQP => "amqp",
            AMQPScheme::AMQPS => "amqps",
        };
        let (authority, vhost) = (&self.uri.authority, &self.uri.vhost);
        let (user, host, port) = (self.user(), &authority.host, authority.port);
        write!(f, "{scheme}://{user}@{host}:{port}/{vhost}")
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// The URL of the management API, `http://user:password@host:15672`. `Display` and
/// `Debug` show no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Management {
    pub(super) url: Url,
}

impl FromStr for Management {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let error = |reason| UrlError(MANAGEMENT, reason);
        let url = Url::parse(text).map_err(|e| error(e.to_string()))?;
        if url.scheme() != "http" {
            return Err(error("the scheme must be http".into()));
        }
        Ok(Self { url })
    }
}

impl fmt::Display for Management {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        write!(f, "http://{}@{host}:{port}", self.url.username())
    }
}

impl fmt::Debug for Management {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Management({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_hosts_is_read_and_shown_without_passwords() {
        let list = "amqp://bridge:s3cret@a:5672/zkwhirl, amqps://bridge:s3cret@[::1]/zkwhirl";
        let hosts = Endpoint::list(list).unwrap();
        assert_eq!(hosts[0].to_string(), "amqp://bridge@a:5672/zkwhirl");
        assert_eq!(hosts[1].to_string(), "amqps://bridge@::1:5671/zkwhirl");
        assert_eq!(hosts[1].uri.authority.userinfo.password, "s3cret");
        let config = AmqpConfig {
            management: Some("http://ops:s3cret@a:15672".parse().unwrap()),
            ..AmqpConfig::new(hosts)
        };
        assert!(!format!("{config:?}").contains("s3cret"));
        assert_eq!(config.vhost(), "zkwhirl");
    }

    #[track_caller]
    fn refused(text: &str, reason: &str) {
        let error = Endpoint::list(text).unwrap_err().to_string();
        let expected =
            format!("an AMQP URL must look like amqp://user:password@host:5672/vhost: {reason}");
        assert_eq!(error, expected);
    }

    #[test]
    fn what_is_no_url_is_refused_without_showing_it() {
        refused("", "relative URL without a base");
        refused("http://me:s3cret@a", "the scheme must be amqp or amqps");
        refused("amqp:///zkwhirl", "there is no host");
        refused("amqp://me:s3cret@a:99999/x", "invalid port number");
    }
}
