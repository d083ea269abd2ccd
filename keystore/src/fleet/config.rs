//! What can be set about a fleet's keys.

use std::{fmt, path::PathBuf, process, time::Duration};

use url::Url;

use crate::{KeyError, blobs::hostname};

/// Where a fleet keeps its keys, and how patient its processes are.
#[derive(Clone)]
pub struct FleetConfig {
    /// `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. The
    /// password is never shown.
    pub url: Url,
    /// Keys in Redis begin with `zkwhirl:{namespace}:keys:`: fleets with
    /// different ones share a Redis and nothing else. 1 to 64 of
    /// `a-z A-Z 0-9 . _ -`.
    pub namespace: String,
    /// For `rediss://`: certificates other than the public ones.
    pub tls: FleetTls,
    /// A directory that all machines see, where proving keys lie by digest: a
    /// network file system, or the mount of an object store. `None`: every
    /// machine's own directory must get its keys in another way.
    pub shared: Option<PathBuf>,
    /// This process, for those that wait for it.
    pub who: String,
    /// How long one answer of Redis may take.
    pub timeout: Duration,
    /// How long a generator that says nothing still counts as alive. Whoever
    /// waits for a dead one waits so long.
    pub lease: Duration,
    /// How often a process that waits looks again.
    pub look_every: Duration,
    /// How long a process waits for a generator that lives. The largest setup
    /// that fits a machine takes minutes.
    pub patience: Duration,
}

/// Certificates for `rediss://`, in PEM.
#[derive(Clone, Default)]
pub struct FleetTls {
    /// The authority that signed the server's certificate; `None`: the public
    /// ones.
    pub authority: Option<Vec<u8>>,
    /// Our certificate and its key, for a server that asks for one.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

impl FleetConfig {
    /// The keys at `url` in the namespace `main`, without a shared directory.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            namespace: "main".to_owned(),
            tls: FleetTls::default(),
            shared: None,
            who: format!("{} pid {}", hostname(), process::id()),
            timeout: Duration::from_secs(5),
            lease: Duration::from_secs(30),
            look_every: Duration::from_millis(500),
            patience: Duration::from_secs(3600),
        }
    }

    /// Where Redis is, without user and password.
    pub(super) fn place(&self) -> String {
        let (scheme, host) = (self.url.scheme(), self.url.host_str().unwrap_or("?"));
        let port = self.url.port().unwrap_or(6379);
        format!("{scheme}://{host}:{port}{}", self.url.path())
    }

    pub(super) fn check(&self) -> Result<(), KeyError> {
        let name = &self.namespace;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
            return Err(KeyError::Config(format!(
                "{name:?} is no namespace: 1 to 64 of a-z A-Z 0-9 . _ - are needed"
            )));
        }
        for (what, duration) in [
            ("timeout", self.timeout),
            ("lease", self.lease),
            ("look_every", self.look_every),
        ] {
            if duration < Duration::from_millis(1) {
                return Err(KeyError::Config(format!("{what} must not be zero")));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FleetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetConfig")
            .field("place", &self.place())
            .field("namespace", &self.namespace)
            .field("tls", &self.tls)
            .field("shared", &self.shared)
            .field("who", &self.who)
            .field("timeout", &self.timeout)
            .field("lease", &self.lease)
            .field("look_every", &self.look_every)
            .field("patience", &self.patience)
            .finish()
    }
}

impl fmt::Debug for FleetTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetTls")
            .field("authority", &self.authority.is_some())
            .field("client", &self.client.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = "rediss://me:secret@db.example:7000/3".parse().unwrap();
        let mut config = FleetConfig::new(url);
        config.tls.client = Some((b"cert".to_vec(), b"secret".to_vec()));
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("secret") && !shown.contains("me:"),
            "{shown}"
        );
        assert!(shown.contains("rediss://db.example:7000/3"), "{shown}");
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let config = || FleetConfig::new("redis://localhost".parse().unwrap());
        assert!(config().check().is_ok());
        for namespace in ["", "a b", "{x}", &"n".repeat(65)] {
            let mut config = config();
            config.namespace = namespace.to_owned();
            assert!(config.check().is_err(), "{namespace:?}");
        }
        let mut config = config();
        config.lease = Duration::ZERO;
        let error = config.check().unwrap_err().to_string();
        assert_eq!(error, "lease must not be zero");
    }
}
