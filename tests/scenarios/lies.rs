//! One changed bit in a reply of any kind: the simulated Falafel, without a bridge,
//! finds the error and names it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::task::block_in_place;
use zkwhirl::cluster::Provers;
use zkwhirl_bridge::falafel::Client;
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FalafelConfig, PipelineState};
use zkwhirl_job::{Command, Frame, Kind, Request, Sizes, identify};
use zkwhirl_prover::native::Engine;
use zkwhirl_testkit::within;

use crate::stage::{engine, native, plan, settled, turn, url};

/// The kinds of jobs of a rollup; true: on the outer port.
const JOBS: [(Kind, bool); 6] = [
    (Kind::JoinSplitVk, true),
    (Kind::AccountVk, true),
    (Kind::Claim, false),
    (Kind::TxRollup, false),
    (Kind::RootRollup, true),
    (Kind::RootVerifier, true),
];

/// A prover that answers Falafel's jobs correctly except for one bit.
struct Liar {
    inner: Client,
    outer: Client,
    engine: Engine,
    /// The replies by request: a Falafel that starts again requests the same jobs.
    replies: HashMap<(Kind, Bytes), Bytes>,
}

impl Liar {
    fn new(falafel: &Falafel) -> Self {
        let client = |address| Client::new(url(address));
        Self {
            inner: client(falafel.inner_address()),
            outer: client(falafel.outer_address().unwrap()),
            engine: engine(2, 1),
            replies: HashMap::new(),
        }
    }

    fn honest(&mut self, kind: Kind, data: &Bytes) -> Bytes {
        let Self {
            engine, replies, ..
        } = self;
        let reply = replies.entry((kind, data.clone())).or_insert_with(|| {
            match zkwhirl::cluster::client_statement(kind) {
                Some(statement) => engine.client_vk(statement, &|_| {}).unwrap().into(),
                None => {
                    let request = Request::parse(data).unwrap();
                    engine.prove(&request, &|_| {}).unwrap().reply
                }
            }
        });
        reply.clone()
    }

    /// Answers every job up to the `last` kind, with the reply of kind `lie` changed.
    async fn work(&mut self, last: Kind, lie: Kind, change: impl Fn(&mut [u8])) {
        for (kind, is_outer) in JOBS {
            let client = [&self.inner, &self.outer][usize::from(is_outer)].clone();
            let Some(frame) = client.get_job().await.unwrap() else {
                panic!("Falafel stops");
            };
            assert_eq!(identify(frame.command, &frame.data), Some(kind));
            let mut reply = block_in_place(|| self.honest(kind, &frame.data)).to_vec();
            if kind == lie {
                change(&mut reply);
            }
            answer(&client, &frame, reply).await;
            if kind == last {
                return;
            }
        }
    }
}

async fn answer(client: &Client, frame: &Frame, reply: Vec<u8>) {
    let answer = Frame {
        ticket: frame.ticket,
        command: Command::Ack.code(),
        data: reply.into(),
    };
    client.complete(answer.to_bytes()).await.unwrap();
}

/// The place of the changed bit: in a byte counted from the start or the end.
#[derive(Debug, Clone, Copy)]
enum Byte {
    From(usize),
    Last(usize),
}

/// Replies for a rollup of one inner rollup, with a claim and a defi deposit.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_bit_in_any_reply_halts_falafel_with_the_reason() {
    use Byte::{From, Last};
    use Kind::{Claim, JoinSplitVk, RootRollup, RootVerifier, TxRollup};
    let _turn = turn().await;
    let plan = plan(Suite::Poseidon, Sizes::new(2, 1).unwrap(), 1, 1);
    let provers = Provers::Native(native(Suite::Poseidon, 2, 1));
    let config = FalafelConfig {
        clients: provers.users().unwrap(),
        ack_timeout: Duration::from_secs(600),
        ..FalafelConfig::new(Some(plan), Arc::new(provers.checker().unwrap()))
    };
    let falafel = Falafel::start(config).await.unwrap();
    let mut liar = Liar::new(&falafel);
    let (claim, inner, whole) = (32 * 16, 32 * (108 + 16), 32 * (142 + 16));
    let names_key = "names verification key";
    for (kind, byte, reason) in [
        // A wrong key is found when a client proves with the right key.
        (
            JoinSplitVk,
            Last(40),
            "was not accepted: the proof names verif",
        ),
        (JoinSplitVk, From(7), "was not accepted: "),
        (Claim, From(31), "published field 0 is "),
        (Claim, From(claim - 1), "published field 15 is "),
        (Claim, From(claim), "no native proof follows"),
        (Claim, From(claim + 16), names_key),
        (Claim, Last(1), "claim: the proof "),
        (TxRollup, From(32 * 5), "published field 5 is "),
        (TxRollup, From(inner + 5), "the "),
        (TxRollup, From(inner + 16), names_key),
        (TxRollup, Last(128 * 3 + 1), "word"),
        (TxRollup, Last(128 * 3), "tx rollup: the proof "),
        (TxRollup, Last(128 * 2), "client proof of tx 0: the "),
        (TxRollup, Last(1), "client proof of tx 1: the proof "),
        (RootRollup, From(32 * 8), "new data roots root (word 8"),
        (RootRollup, From(whole - 1), "(word 157 of the broad"),
        (RootRollup, From(whole + 16), names_key),
        (RootRollup, Last(1), "is not the request's"),
        (RootVerifier, From(32 * 140), "rollup beneficiary (word"),
        (RootVerifier, From(whole), "differs from the verified"),
        (RootVerifier, Last(1), "differs from the verified"),
    ] {
        // Falafel accepts transactions after the claims are proved.
        let last = match kind {
            JoinSplitVk => Claim,
            other => other,
        };
        liar.work(last, kind, |reply| {
            let at = match byte {
                From(at) => at,
                Last(at) => reply.len() - at,
            };
            reply[at] ^= 1 << (at % 8);
        })
        .await;
        let PipelineState::Halted(why) = within("Falafel halts", falafel.finished()).await else {
            panic!("{kind}, {byte:?}: it went on");
        };
        assert!(why.contains(reason), "{kind}, {byte:?}: {why}");
        falafel.restart(Duration::ZERO).await.unwrap();
    }
    // With the same replies unchanged, the rollup settles.
    liar.work(RootVerifier, RootVerifier, |_| {}).await;
    settled(&falafel).await;
    assert_eq!(falafel.progress().settled, 1);
    falafel.stop(Duration::ZERO).await;
}
