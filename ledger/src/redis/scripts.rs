//! The scripts: each change of the ledger is one of them, so that it happens
//! whole or not at all, whoever else is there.

use redis::{Script, ScriptInvocation, ToRedisArgs};

use super::RedisLedgerConfig;

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// All scripts, compiled into their hashes.
        #[derive(Debug)]
        pub(super) struct Scripts {
            prefix: String,
            limits: [u64; 4],
            $($(#[$doc])* pub(super) $name: Script,)*
        }

        impl Scripts {
            pub(super) fn new(config: &RedisLedgerConfig) -> Self {
                Self {
                    prefix: config.address.prefix(),
                    limits: [
                        config.keep.as_millis() as u64,
                        config.finished_jobs as u64,
                        config.finished_bytes as u64,
                        config.events as u64,
                    ],
                    $($name: Script::new(concat!(
                        include_str!("lua/lib.lua"),
                        include_str!(concat!("lua/", stringify!($name), ".lua")),
                    )),)*
                }
            }
        }
    };
}

scripts! {
    adopt,
    attempt,
    attempts,
    bridge,
    close,
    drop,
    epoch,
    forget,
    read,
    records,
    request,
    store,
    take,
    tickets,
    transition,
    unverified,
    unverified_jobs,
}

impl Scripts {
    /// What all keys begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A call of a script, with the arguments that every script has.
    pub(super) fn call<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        call.key(self.prefix.as_str());
        for limit in self.limits {
            call.arg(limit);
        }
        call
    }
}

/// Arguments of a script, in a row.
pub(super) trait With {
    /// The same call with one more argument.
    fn with(self, arg: impl ToRedisArgs) -> Self;
}

impl With for ScriptInvocation<'_> {
    fn with(mut self, arg: impl ToRedisArgs) -> Self {
        self.arg(arg);
        self
    }
}
