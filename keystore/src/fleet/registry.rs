//! The fleet's records in Redis. Each change is one Lua script, so that the change
//! is atomic.

use std::{
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use redis::{Commands, FromRedisValue, Script, ScriptInvocation};

use super::{FleetConfig, Manifest, link::RedisLink, manifest::MANIFEST_BYTES};
use crate::{
    Advance, CircuitIdentity, KeyError, KeyGenerator,
    blobs::{self, BLOB_BYTES, hostname},
    identity::FORMAT,
};

macro_rules! scripts {
    ($($name:ident,)*) => {
        #[derive(Debug)]
        struct KeyScripts { $($name: Script,)* }

        impl KeyScripts {
            fn new() -> Self {
                Self {
                    $($name: Script::new(concat!(
                        include_str!("lua/lib.lua"),
                        include_str!(concat!("lua/", stringify!($name), ".lua")),
                    )),)*
                }
            }
        }
    };
}

scripts! { claim, forget, import, publish, release, renew, state, }

/// The fleet's records.
#[derive(Debug)]
pub(super) struct Registry {
    link: RedisLink,
    scripts: KeyScripts,
    prefix: String,
    who: String,
    lease: Duration,
}

/// The fleet's record of a circuit's key.
#[derive(Debug)]
pub(super) struct KeyState {
    /// The fleet's key, if the fleet has a key.
    pub(super) known: Option<KnownKey>,
    /// The process that is making the key now, if any.
    pub(super) generator: Option<KeyGenerator>,
}

/// The fleet's key of a circuit.
#[derive(Debug)]
pub(super) struct KnownKey {
    pub(super) manifest: Manifest,
    /// Whether Redis has a value under the digest of the verification key.
    pub(super) has_vk: bool,
}

/// The right to make a circuit's key. A later holder has a larger fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fence(pub(super) String);

/// The outcome of a publication.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Publication {
    /// The key is now the fleet's key.
    Yes,
    /// Another key was published before.
    NotFirst,
    /// Another process has taken the lock since, and makes the key.
    Outdated,
}

impl Registry {
    pub(super) fn new(config: &FleetConfig) -> Result<Self, KeyError> {
        Ok(Self {
            link: RedisLink::new(config)?,
            scripts: KeyScripts::new(),
            // A release reads keys of its own format only.
            prefix: format!("{}keys:{FORMAT}:", config.address.prefix()),
            who: config.who.clone(),
            lease: config.lease,
        })
    }

    /// The name of the manifest's key in Redis.
    pub(super) fn manifest_key(&self, circuit: &CircuitIdentity) -> String {
        format!("{}manifest:{}", self.prefix, place(circuit))
    }

    pub(super) fn vk_key(&self, digest: &str) -> String {
        format!("{}vk:{digest}", self.prefix)
    }

    pub(super) fn client_key(&self, name: &str) -> String {
        format!("{}client:{name}", self.prefix)
    }

    /// The fleet's record of a circuit's key.
    pub(super) fn state(&self, circuit: &CircuitIdentity) -> Result<KeyState, KeyError> {
        type Holder = (String, u64, f32);
        type Answer = (Option<Vec<u8>>, u8, Option<Holder>);
        let mut call = self.call(&self.scripts.state, circuit);
        call.arg(MANIFEST_BYTES);
        let (manifest, vk, holder): Answer = self.invoke(&call)?;
        let known = manifest.map(|bytes| -> Result<KnownKey, KeyError> {
            let record = self.manifest_key(circuit);
            let manifest = Manifest::parse(&bytes, &record)?;
            manifest.check_circuit(circuit, &record)?;
            let has_vk = vk == 1;
            Ok(KnownKey { manifest, has_vk })
        });
        Ok(KeyState {
            known: known.transpose()?,
            generator: holder.map(|(who, since_ms, fraction)| KeyGenerator {
                who,
                since: Duration::from_millis(since_ms),
                fraction,
            }),
        })
    }

    /// Takes the lock for making the key. `None`: another process has the lock, or
    /// the fleet has the key.
    pub(super) fn claim(&self, circuit: &CircuitIdentity) -> Result<Option<Fence>, KeyError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut call = self.call(&self.scripts.claim, circuit);
        call.arg(&self.who).arg(self.lease_ms());
        call.arg(format!("{}-{}-{count}", hostname(), process::id()));
        Ok(self.invoke::<Option<String>>(&call)?.map(Fence))
    }

    /// Renews the lock; false if another process has taken it or has published.
    pub(super) fn renew(
        &self,
        circuit: &CircuitIdentity,
        fence: &Fence,
        advance: &Advance,
    ) -> Result<bool, KeyError> {
        let mut call = self.call(&self.scripts.renew, circuit);
        call.arg(&self.who).arg(self.lease_ms()).arg(&fence.0);
        call.arg(format!("{:.3}", advance.fraction()));
        Ok(self.invoke::<u8>(&call)? == 1)
    }

    pub(super) fn release(&self, circuit: &CircuitIdentity, fence: &Fence) -> Result<(), KeyError> {
        let mut call = self.call(&self.scripts.release, circuit);
        call.arg(&fence.0);
        self.invoke::<u8>(&call).map(|_| ())
    }

    /// Makes a key the fleet's key if the fleet has no key: a key that was made
    /// under `fence`, or without a fence an older key of this machine.
    pub(super) fn publish(
        &self,
        manifest: &Manifest,
        vk: &[u8],
        fence: Option<&Fence>,
    ) -> Result<Publication, KeyError> {
        let json = serde_json::to_vec(manifest)
            .map_err(|error| KeyError::Config(format!("cannot write a manifest: {error}")))?;
        let mut call = self.call(&self.scripts.publish, &manifest.circuit);
        call.arg(json).arg(&manifest.vk).arg(vk);
        call.arg(fence.map_or("", |fence| &fence.0));
        Ok(match self.invoke::<i8>(&call)? {
            1 => Publication::Yes,
            0 => Publication::NotFirst,
            _ => Publication::Outdated,
        })
    }

    /// Removes a circuit's manifest; false if the manifest does not name `key`.
    pub(super) fn forget(&self, circuit: &CircuitIdentity, key: &str) -> Result<bool, KeyError> {
        let mut call = self.call(&self.scripts.forget, circuit);
        call.arg(key);
        Ok(self.invoke::<u8>(&call)? == 1)
    }

    /// The verification key with a digest, checked against the digest.
    pub(super) fn vk(&self, digest: &str) -> Result<Option<Vec<u8>>, KeyError> {
        let record = self.vk_key(digest);
        // One byte more than allowed, so that `check` sees a value that is too
        // long.
        let end = BLOB_BYTES as isize;
        let bytes: Vec<u8> = self.link.ask(|redis| redis.getrange(&record, 0, end))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        match blobs::check(digest, &bytes) {
            Ok(()) => Ok(Some(bytes)),
            Err(problem) => Err(KeyError::Record {
                record,
                problem: problem.to_string(),
            }),
        }
    }

    pub(super) fn put_vk(&self, bytes: &[u8]) -> Result<(), KeyError> {
        let record = self.vk_key(&blobs::digest(bytes));
        self.link.ask(|redis| redis.set(&record, bytes))
    }

    pub(super) fn client_digest(&self, name: &str) -> Result<Option<String>, KeyError> {
        let record = self.client_key(name);
        let bytes: Vec<u8> = self.link.ask(|redis| redis.getrange(&record, 0, 64))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if blobs::is_digest(&text) {
            return Ok(Some(text));
        }
        let problem = "it holds no digest".to_owned();
        Err(KeyError::Record { record, problem })
    }

    /// Stores a client circuit's verification key if Redis has no key of this
    /// circuit; returns the digest of the key that Redis has now.
    pub(super) fn import_client(&self, name: &str, bytes: &[u8]) -> Result<String, KeyError> {
        let mut call = self.scripts.import.prepare_invoke();
        call.key(&self.prefix).arg(name);
        call.arg(blobs::digest(bytes)).arg(bytes);
        self.invoke(&call)
    }

    fn call<'a>(&self, script: &'a Script, circuit: &CircuitIdentity) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        call.key(&self.prefix).arg(place(circuit));
        call
    }

    fn invoke<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, KeyError> {
        self.link.ask(|redis| call.invoke(redis))
    }

    fn lease_ms(&self) -> u64 {
        self.lease.as_millis() as u64
    }
}

fn place(circuit: &CircuitIdentity) -> String {
    format!("{}:{}", circuit.name, circuit.short())
}
