//! `rollup_cli`'s protocol over standard input and output: a server for the native
//! engine, and the supervisor of a child process that runs such a server.
//!
//! Requests are a big-endian `u32` code and its payload without a length;
//! replies are `u32 length ‖ reply ‖ verified u8` for proofs, `u32 length ‖
//! key` for verification keys and the single byte 1 for a ping. Standard error
//! is free text; zkWhirl's own children also write [`notice`] lines there.

mod child;
pub mod notice;
mod running;
mod server;
mod stderr;

use std::path::PathBuf;

use zkwhirl_job::Sizes;

pub use child::{ChildConfig, ChildProver, Dialect, Eager};
pub use server::{ProofService, serve};

/// Code of a request to prove a client's account transaction.
const ACCOUNT_PROOF: u32 = 4;
const PING: u32 = 666;
const JOIN_SPLIT_VK: u32 = 100;
const ACCOUNT_VK: u32 = 101;

/// The seven positional arguments of `rollup_cli`, in Halloumi's order.
#[derive(Debug, Clone)]
pub struct CliArguments {
    /// The directory of the reference string.
    pub crs_dir: PathBuf,
    /// The numbers of txs per inner rollup and of inner rollups per root rollup.
    pub sizes: Sizes,
    /// Whether replies are mocks without a proof.
    pub mock: bool,
    /// Whether the child loads a key when a request needs it. If false, the child
    /// loads all keys before it answers its first ping.
    pub lazy_init: bool,
    /// Whether the child keeps its keys on disk.
    pub persist: bool,
    /// The directory of the keys.
    pub data_dir: PathBuf,
}

impl CliArguments {
    /// Formats `crs_dir txs_per_inner inners_per_root mock lazy_init persist data_dir`.
    pub fn to_strings(&self) -> Vec<String> {
        vec![
            self.crs_dir.display().to_string(),
            self.sizes.txs_per_inner().to_string(),
            self.sizes.inners_per_root().to_string(),
            self.mock.to_string(),
            self.lazy_init.to_string(),
            self.persist.to_string(),
            self.data_dir.display().to_string(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_stand_where_halloumi_puts_them() {
        let arguments = CliArguments {
            crs_dir: "./data/crs".into(),
            sizes: Sizes::new(28, 32).unwrap(),
            mock: false,
            lazy_init: true,
            persist: true,
            data_dir: "./data".into(),
        };
        assert_eq!(
            arguments.to_strings().join(" "),
            "./data/crs 28 32 false true true ./data"
        );
    }
}
