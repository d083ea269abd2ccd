//! `rollup_cli`'s protocol over standard input and output: a server, behind which
//! the native engine proves, and the supervisor of a child that speaks the
//! protocol.
//!
//! Requests are a big-endian `u32` code and its payload without a length;
//! replies are `u32 length ‖ reply ‖ verified u8` for proofs, `u32 length ‖
//! key` for verification keys and the single byte 1 for a ping. Standard error
//! is free text; our own children also write [`notice`] lines there.

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
    /// Directory of the reference string.
    pub crs_dir: PathBuf,
    /// Transactions of an inner rollup, inner rollups of a root rollup.
    pub sizes: Sizes,
    /// Mock proofs.
    pub mock: bool,
    /// Keys are loaded with the first request that needs them, and not before
    /// the answer to the first ping.
    pub lazy_init: bool,
    /// Keys are kept on disk.
    pub persist: bool,
    /// Where keys are kept.
    pub data_dir: PathBuf,
}

impl CliArguments {
    /// `crs_dir txs_per_inner inners_per_root mock lazy_init persist data_path`.
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
