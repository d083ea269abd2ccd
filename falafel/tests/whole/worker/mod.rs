//! A worker that uses Falafel's protocol and proves nothing: it publishes the
//! fields of the native statements.

use std::net::SocketAddr;

use bytes::Bytes;
use reqwest::Client;
use tokio::task::JoinSet;
use zkwhirl_circuits::{
    Suite,
    claim::{self, ClaimWitness},
    root_rollup::{self, RootRollupWitness, RootSize},
    tx_rollup::{self, TxRollupWitness},
};
use zkwhirl_falafel::Falafel;
use zkwhirl_job::{Command, Frame, Request, Sizes, reply::broadcast_bytes};

/// The bytes in place of a proof.
const NO_PROOF: &[u8] = b"no proof";

/// A worker on one port.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    client: Client,
    base: String,
    suite: Suite,
    sizes: Sizes,
}

impl Worker {
    /// A worker for sizes of 2 × 2.
    pub(crate) fn new(address: SocketAddr, suite: Suite) -> Self {
        Self {
            client: Client::new(),
            base: format!("http://{address}"),
            suite,
            sizes: Sizes::new(2, 2).expect("small sizes"),
        }
    }

    /// A worker of the inner jobs of a Falafel; in normal mode of all jobs.
    pub(crate) fn of(falafel: &Falafel) -> Self {
        Self::new(falafel.inner_address(), Suite::Poseidon)
    }

    /// A worker of the outer jobs of a split Falafel.
    pub(crate) fn outer(falafel: &Falafel) -> Self {
        let address = falafel.outer_address().expect("a split falafel");
        Self::new(address, Suite::Poseidon)
    }

    /// Works on both ports of a split Falafel until the set is dropped.
    pub(crate) fn both(falafel: &Falafel) -> JoinSet<()> {
        let mut working = JoinSet::new();
        working.spawn(Self::of(falafel).work_on());
        working.spawn(Self::outer(falafel).work_on());
        working
    }

    /// Polls until a job arrives; a lost connection is polled again.
    pub(crate) async fn take(&self) -> Frame {
        loop {
            let url = format!("{}/get-job", self.base);
            if let Ok(response) = self.client.get(url).send().await
                && let Ok(body) = response.bytes().await
                && let Ok(frame) = Frame::parse(&body)
            {
                return frame;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Takes a job, rejects it and returns its frame.
    pub(crate) async fn reject(&self, why: &'static str) -> Frame {
        let frame = self.take().await;
        self.answer(&frame, Command::Nack, why.into()).await;
        frame
    }

    /// Answers a frame with a command and data.
    pub(crate) async fn answer(&self, frame: &Frame, command: Command, data: Bytes) {
        let answer = Frame {
            ticket: frame.ticket,
            command: command.code(),
            data,
        };
        let url = format!("{}/job-complete", self.base);
        let post = self.client.post(url).body(answer.to_bytes());
        let status = post.send().await.expect("it listens").status();
        assert_eq!(status, 200);
    }

    /// Returns the honest reply to a frame.
    pub(crate) fn reply(&self, frame: &Frame) -> Bytes {
        if frame.command != Command::CreateProof.code() {
            return Bytes::from_static(b"key");
        }
        let request = Request::parse(&frame.data).expect("falafel's requests parse");
        let published = match request {
            Request::Claim(claim) => {
                let witness = ClaimWitness::new(&claim).unwrap();
                claim::check(self.suite, &witness).unwrap().to_words()
            }
            Request::TxRollup(rollup) => {
                let capacity = self.sizes.txs_per_inner();
                let witness = TxRollupWitness::new(&rollup, capacity).unwrap();
                let published = tx_rollup::check(self.suite, capacity, &witness);
                published.unwrap().to_words()
            }
            Request::RootRollup(root) => {
                let size = RootSize {
                    inners: self.sizes.inners_per_root(),
                    slots: self.sizes.slots(),
                };
                let witness = RootRollupWitness::new(&root, size).unwrap();
                let broadcast = root_rollup::check(self.suite, size, &witness);
                broadcast.unwrap().words()
            }
            Request::RootVerifier(root) => {
                let data = root.root_rollup_reply.slice(..broadcast_bytes(self.sizes));
                return [&data[..], NO_PROOF].concat().into();
            }
        };
        [&published.concat(), NO_PROOF].concat().into()
    }

    /// Takes one job and answers it honestly; returns its frame.
    pub(crate) async fn work(&self) -> Frame {
        let frame = self.take().await;
        self.ack(&frame).await;
        frame
    }

    /// Answers a frame honestly.
    pub(crate) async fn ack(&self, frame: &Frame) {
        self.answer(frame, Command::Ack, self.reply(frame)).await;
    }

    /// Takes and answers jobs for ever.
    async fn work_on(self) {
        loop {
            self.work().await;
        }
    }
}
