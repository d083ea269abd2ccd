//! A worker that speaks Falafel's protocol and proves nothing: it publishes
//! what the native statements say.

use std::net::SocketAddr;

use bytes::Bytes;
use reqwest::Client;
use zkwhirl_circuits::{Suite, statement};
use zkwhirl_falafel::Falafel;
use zkwhirl_job::{Command, Frame, Request};

/// A worker on one port.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    client: Client,
    base: String,
    suite: Suite,
    capacity: u32,
}

impl Worker {
    pub(crate) fn new(address: SocketAddr, suite: Suite, capacity: u32) -> Self {
        Self {
            client: Client::new(),
            base: format!("http://{address}"),
            suite,
            capacity,
        }
    }

    /// A worker of the inner jobs of a falafel.
    pub(crate) fn of(falafel: &Falafel) -> Self {
        Self::new(falafel.inner_address(), Suite::Poseidon, 2)
    }

    /// Polls until there is a job; a lost connection is no news.
    pub(crate) async fn take(&self) -> Frame {
        loop {
            let url = format!("{}/get-job", self.base);
            let Ok(response) = self.client.get(url).send().await else {
                tokio::task::yield_now().await;
                continue;
            };
            if let Ok(body) = response.bytes().await
                && let Ok(frame) = Frame::parse(&body)
            {
                return frame;
            }
        }
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

    /// The honest reply to a request.
    pub(crate) fn reply(&self, data: &Bytes) -> Bytes {
        let published = match Request::parse(data).expect("falafel's requests parse") {
            Request::Claim(claim) => {
                statement::claim(self.suite, &claim)
                    .expect("falafel's claims are true")
                    .published
            }
            Request::TxRollup(rollup) => {
                statement::tx_rollup(self.suite, &rollup, self.capacity)
                    .expect("falafel's rollups are true")
                    .published
            }
            other => panic!("no outer job is asked for yet, but a {}", other.kind()),
        };
        [&published.to_words().concat()[..], b"no proof"]
            .concat()
            .into()
    }

    /// Takes one job and answers it honestly.
    pub(crate) async fn work(&self) -> Frame {
        let frame = self.take().await;
        let reply = self.reply(&frame.data);
        self.answer(&frame, Command::Ack, reply).await;
        frame
    }

    /// Works for ever.
    pub(crate) fn spawn(self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move {
            loop {
                self.work().await;
            }
        })
    }
}
