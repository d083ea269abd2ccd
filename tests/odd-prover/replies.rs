//! What it answers when it behaves.

use std::{fs, time::Duration};

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{Command, JobId, Request, Sizes};
use zkwhirl_prover::Proverless;

const CLAIM_REPLY_BYTES: usize = 2016;

pub(super) struct Replies {
    recorded: Option<String>,
    /// `rollup_cli`'s arguments.
    arguments: Vec<String>,
}

impl Replies {
    pub(super) fn new(marker: Option<String>, arguments: Vec<String>) -> Self {
        Self {
            recorded: marker.map(|marker| format!("{marker}.replies")),
            arguments,
        }
    }

    pub(super) fn lazy(&self) -> &'static str {
        match self.arguments.get(4).map(String::as_str) {
            Some("true") => "lazy",
            _ => "eager",
        }
    }

    /// The reply to a request, the `number`th.
    pub(super) fn of(&self, request: &[u8], number: u8) -> Vec<u8> {
        let request = Bytes::copy_from_slice(request);
        if let Some(recorded) = self.recorded(&request) {
            return recorded;
        }
        let Some(sizes) = self.sizes() else {
            return vec![number; CLAIM_REPLY_BYTES];
        };
        let mock = Proverless::new(Suite::Pedersen, sizes, Duration::ZERO);
        let request = Request::parse(&request).expect("the supervisor sends requests only");
        let reply = mock.reply(&request).expect("its fields can be computed");
        reply.to_vec()
    }

    fn recorded(&self, request: &Bytes) -> Option<Vec<u8>> {
        let folder = self.recorded.as_ref()?;
        let name = JobId::of(Command::CreateProof, request);
        fs::read(format!("{folder}/{name}")).ok()
    }

    fn sizes(&self) -> Option<Sizes> {
        let number = |at: usize| self.arguments.get(at)?.parse().ok();
        Sizes::new(number(1)?, number(2)?).ok()
    }
}

/// A verification key: the original's length, filled with its code.
pub(super) fn key(code: u32) -> Vec<u8> {
    vec![code as u8; 1168]
}
