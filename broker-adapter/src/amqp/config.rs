//! Where RabbitMQ is, and how patient to be with it.

use std::{fmt, str::FromStr, time::Duration};

use lapin::{
    tcp::{OwnedIdentity, OwnedTLSConfig},
    uri::{AMQPScheme, AMQPUri},
};
use url::Url;

use crate::{DELIVERY_LIMIT, Rung, UNREAD_LIMIT};

/// The settings of the back-end.
#[derive(Debug, Clone)]
pub struct AmqpConfig {
    /// The nodes, tried in turn from a random one on. Same vhost everywhere.
    pub hosts: Vec<Endpoint>,
    /// The management API: for provisioning, checks, and the counts of jobs in
    /// flight. Without it those are unknown.
    pub management: Option<Management>,
    /// Certificates (PEM) that are trusted besides the system's, for `amqps://`.
    pub ca_pem: Option<String>,
    /// The certificate that this process shows, where the broker wants one.
    pub identity: Option<Identity>,
    /// The process's name in RabbitMQ's list of connections.
    pub name: String,
    /// Either side calls a silent connection dead after two of these.
    pub heartbeat: Duration,
    /// For a TCP connection with its handshakes.
    pub connect_timeout: Duration,
    /// For one answer of the broker.
    pub call_timeout: Duration,
    /// For the confirm of one message; after it nothing is known about the
    /// message, and it is published again.
    pub confirm_timeout: Duration,
    /// How long a call waits while a lost connection is being made anew.
    pub patience: Duration,
    /// How long all counts must have been zero before jobs are called missing:
    /// several of the broker's statistics intervals (5 s each by default).
    pub quiet: Duration,
    /// How long a message waits for a process that can read it, before it is a
    /// dead letter of the class `version`; 24 hours by default.
    pub unread_limit: Duration,
    /// What `provision` sets and the checks expect.
    pub limits: Limits,
}

/// What the policies of the queues say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a job waits on each rung.
    pub delays: [Duration; 3],
    /// Deliveries that may end without a settlement before the job is dead.
    pub delivery_limit: u32,
    /// Messages that a queue of jobs, of results or a rung holds.
    pub queue_limit: usize,
    /// Dead letters that are held.
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
    /// The usual patience for these nodes.
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

/// A certificate with its private key, both PEM. Shown without the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those between it and the authority's.
    pub certificate_pem: String,
    /// Its private key, PKCS#8.
    pub key_pem: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// A text that is no URL of a broker. The error does not show the text, which
/// may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: {1}")]
pub struct UrlError(&'static str, String);

const ENDPOINT: &str = "an AMQP URL must look like amqp://user:password@host:5672/vhost";
const MANAGEMENT: &str = "a management URL must look like http://user:password@host:15672";

/// One RabbitMQ node: `amqp://user:password@host:port/vhost`, or `amqps://`.
/// Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) uri: AMQPUri,
}

impl Endpoint {
    /// Reads a comma-separated list.
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
        // The parser takes an IPv6 address for no host at all, and localhost
        // for its default.
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

/// The management API: `http://user:password@host:15672`. Shown without its
/// password.
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
