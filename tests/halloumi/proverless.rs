//! `PROVERLESS=true` needs no network, reference string or keys, and its replies
//! differ from real ones only in the proof.

use std::{fs, net::SocketAddr, time::Duration};

use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{
    Listen,
    users::{MockProofs, TxPool, TxReceiver},
    world::World,
};
use zkwhirl_job::{Request, Sizes, Word, reply::fields, request::RootVerifierRequest};
use zkwhirl_prover::Proverless;
use zkwhirl_testkit::vector;

use super::stage::{Up, command, rolling_up};
use crate::stage::{settled, url};

/// Sizes, and the lengths in bytes of the original's replies: claim, tx rollup,
/// root rollup, root verifier.
const LENGTHS: [(u32, u32, [usize; 4]); 3] = [
    (1, 1, [2016, 5728, 6848, 6112]),
    (28, 32, [2016, 13_664, 268_736, 268_000]),
    (3, 5, [2016, 6496, 14_784, 14_048]),
];

/// The process connects only to Falafel and creates no directory, and a Falafel
/// that checks every field against its own state settles.
#[tokio::test(flavor = "multi_thread")]
async fn it_needs_nothing_but_falafel_at_any_size() {
    for (txs, inners, _) in LENGTHS {
        let sizes = Sizes::new(txs, inners).unwrap();
        let falafel = rolling_up(sizes, Listen::anywhere()).await;
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let addresses = [falafel.inner_address(), falafel.outer_address().unwrap()];
        let mut command = command(addresses[0]);
        command
            .env("ZKWHIRL_OUTER_JOB_SERVER_URL", url(addresses[1]).as_str())
            .env("PROVERLESS", "true")
            .env("NUM_INNER_ROLLUP_TXS", txs.to_string())
            .env("NUM_OUTER_ROLLUP_PROOFS", inners.to_string())
            .env("DATA_DIR", &data);
        let up = Up::start(&mut command);
        settled(&falafel).await;
        assert_eq!(falafel.stats().completions, 6, "{sizes}");
        assert!(!data.exists(), "a data directory was made");
        let peers = peers(up.process.id());
        assert!(!peers.is_empty());
        for peer in peers {
            assert!(addresses.contains(&peer), "a connection to {peer}");
        }
        assert_eq!(up.process.drain(), Some(0));
    }
}

/// The fields must equal the simulated world's values.
#[test]
fn replies_have_the_real_lengths_and_fields() {
    for (txs, inners, lengths) in LENGTHS {
        let sizes = Sizes::new(txs, inners).unwrap();
        let mock = Proverless::new(Suite::Pedersen, sizes, Duration::ZERO);
        let check = |request: Request, length: usize, published: &[Word]| {
            let reply = mock.reply(&request).unwrap();
            let kind = request.kind();
            assert_eq!(reply.len(), length, "{kind} at {sizes}");
            let words = fields(&reply, published.len()).unwrap();
            assert!(words == published, "{kind} at {sizes}");
            reply
        };
        let mut draft = World::genesis(Suite::Pedersen, 3, 1).begin(sizes);
        let claim = draft.claims(1).remove(0);
        let request = Request::Claim(Box::new(claim.request));
        let claimed = check(request, lengths[0], &claim.published);
        let door = TxReceiver {
            proofs: &MockProofs,
            keys: None,
            pool: &TxPool::default(),
        };
        let txs = sizes.txs_per_inner().min(2) as usize;
        let mut replies = Vec::new();
        for job in draft.inners(txs, &[claimed], &door).unwrap() {
            let request = Request::TxRollup(Box::new(job.request));
            replies.push(check(request, lengths[1], &job.published));
        }
        let root = draft.root(&replies).unwrap();
        let words = root.broadcast.words();
        let request = Request::RootRollup(Box::new(root.request));
        let root_rollup_reply = check(request, lengths[2], words);
        let request = RootVerifierRequest { root_rollup_reply };
        check(Request::RootVerifier(Box::new(request)), lengths[3], words);
    }
}

/// The fields must equal those that the original's mock published.
#[test]
fn recorded_replies_have_the_same_fields() {
    for (job, sizes, words) in [
        ("valid_1x1_0_tx_rollup", (1, 1), 116),
        ("valid_1x1_1_root_rollup", (1, 1), 150),
        ("valid_1x1_2_root_verifier", (1, 1), 150),
        ("valid_2x2_1_tx_rollup", (2, 2), 124),
        ("valid_2x2_2_root_rollup", (2, 2), 174),
        ("valid_2x2_3_root_verifier", (2, 2), 174),
    ] {
        let sizes = Sizes::new(sizes.0, sizes.1).unwrap();
        let mock = Proverless::new(Suite::Pedersen, sizes, Duration::ZERO);
        let request = Request::parse(&vector(&format!("{job}_request"))).unwrap();
        let reply = mock.reply(&request).unwrap();
        let original = vector(&format!("{job}_reply"));
        assert_eq!(reply.len(), original.len(), "{job}");
        assert!(reply[..32 * words] == original[..32 * words], "{job}");
    }
}

/// The remote addresses of a process's TCP connections, without those to its API.
fn peers(pid: u32) -> Vec<SocketAddr> {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = links.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
    let sockets: Vec<_> = links.map(|link| link.display().to_string()).collect();
    let tables = ["tcp", "tcp6"].map(|table| format!("/proc/{pid}/net/{table}"));
    let tables = tables.map(|table| fs::read_to_string(table).unwrap());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    let mine = lines.filter(|line| {
        let inode = line.split_whitespace().nth(9).unwrap();
        sockets.contains(&format!("socket:[{inode}]"))
    });
    let remote = mine.map(|line| line.split_whitespace().nth(2).unwrap());
    let remote = remote.filter(|remote| !remote.ends_with(":0000"));
    remote.map(address).collect()
}

/// Parses an address in the kernel's format: `0100007F:1F92`.
fn address(text: &str) -> SocketAddr {
    let (host, port) = text.split_once(':').unwrap();
    let host = u32::from_str_radix(&host[host.len() - 8..], 16).unwrap();
    let port = u16::from_str_radix(port, 16).unwrap();
    SocketAddr::from((host.to_le_bytes(), port))
}
