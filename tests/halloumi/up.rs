//! `zkwhirl up` as a process: Falafel's modes, the start, the keys.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    sync::Arc,
};

use bytes::Bytes;
use zkwhirl::cluster::Checker;
use zkwhirl_falafel::{Falafel, Listen};
use zkwhirl_job::Kind;
use zkwhirl_testkit::within;

use super::stage::{JSON, Up, asking, command, head, rolling_up, sizes};
use crate::stage::{Odd, has, root, settled, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_rollup_settles_in_falafels_split_mode_and_in_its_normal_one() {
    let split = rolling_up(sizes(), Listen::anywhere()).await;
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let normal = rolling_up(sizes(), Listen::Normal(anywhere)).await;
    let outer = format!("http://{}", split.outer_address().unwrap());
    let both = Up::start(
        command(split.inner_address())
            .env("ZKWHIRL_OUTER_JOB_SERVER_URL", outer)
            .env("PROVERLESS", "true"),
    );
    let one = Up::start(command(normal.inner_address()).env("PROVERLESS", "true"));
    has(&one.headline, &["proverless: nothing is proved"]);
    for falafel in [&split, &normal] {
        settled(falafel).await;
        let stats = falafel.stats();
        assert_eq!((stats.created, stats.nacks, stats.reissues), (6, 0, 0));
    }
    assert_eq!(both.process.drain(), Some(0));
    assert_eq!(one.process.drain(), Some(0));
}

/// Two instances as in a Halloumi fleet: each polls one of Falafel's two servers,
/// and its program gets no job that needs keys of the other topic.
#[tokio::test(flavor = "multi_thread")]
async fn instances_for_one_topic_never_see_the_others_jobs() {
    let falafel = rolling_up(sizes(), Listen::anywhere()).await;
    let programs = [Odd::new("well"), Odd::new("well")];
    let addresses = [falafel.inner_address(), falafel.outer_address().unwrap()];
    let start = |at: usize, topic: &str| {
        programs[at].make_crs();
        let mut up = Up::with(&programs[at], addresses[at]);
        up.env("ZKWHIRL_TOPIC", topic);
        Up::start(up.env_remove("ZKWHIRL_OUTER_JOB_SERVER_URL"))
    };
    let instances = [start(0, "inner"), start(1, "outer")];
    settled(&falafel).await;
    let asked = programs.each_ref().map(|program| {
        let log = program.log().into_iter().map(|(_, words)| words);
        let asked: BTreeSet<_> = log.filter(|words| !words.starts_with("start")).collect();
        Vec::from_iter(asked)
    });
    assert_eq!(asked[0], ["request 0", "request 2"]);
    assert_eq!(asked[1], ["key 100", "key 101", "request 1", "request 3"]);
    for instance in instances {
        assert_eq!(instance.process.drain(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn until_its_prover_answers_it_is_not_ready_and_falafel_waits_unharmed() {
    let odd = Odd::new("no-ping");
    odd.make_crs();
    let falafel = asking(Arc::new(Checker::RollupCli(sizes()))).await;
    let up = Up::start(&mut Up::with(&odd, falafel.inner_address()));
    let index = r#"{"serviceName":"halloumi","isReady":false}"#;
    let refusal = r#"{"error":"Server not ready."}"#;
    for (method, path, status, text) in [
        ("GET", "/", "200 OK", index),
        ("POST", "/create-proof", "503 Service Unavailable", refusal),
    ] {
        let (lines, body) = up.call(method, path, b"").await;
        assert_eq!(
            (lines, &body[..]),
            (head(status, JSON, text.len()), text.as_bytes())
        );
    }
    // A signal ends the process at once, even while the prover is starting.
    assert_eq!(up.process.drain(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_answered_from_the_data_directory_without_a_prover() {
    let odd = Odd::new("well");
    odd.make_crs();
    let check = Arc::new(Checker::RollupCli(sizes()));
    let falafel = asking(check.clone()).await;
    let first = Up::start(&mut Up::with(&odd, falafel.inner_address()));
    let keys = both_keys(&falafel).await;
    assert_eq!(keys, [vec![100; 1168], vec![101; 1168]]);
    assert_eq!(first.process.drain(), Some(0));

    let broken = Odd::new("no-ping");
    copy(&odd.path("data"), &broken.path("data"));
    let falafel = asking(check).await;
    let second = Up::start(&mut Up::with(&broken, falafel.inner_address()));
    assert_eq!(both_keys(&falafel).await, keys);
    for (path, key) in ["/get-join-split-vk", "/get-account-vk"]
        .into_iter()
        .zip(&keys)
    {
        assert_eq!(second.call("GET", path, b"").await.1, key[..]);
    }
    assert!(broken.logged("key").is_empty());
    // No prover ever became ready.
    let ready = second.figure("zkwhirl_worker_start_to_ready_seconds");
    assert_eq!(ready.await, 0.0);
}

async fn both_keys(falafel: &Falafel) -> [Vec<u8>; 2] {
    let servers = falafel.servers();
    let asked = [Kind::JoinSplitVk, Kind::AccountVk];
    let asked = asked.map(|kind| servers.create(kind, Bytes::new()).1);
    let keys = within("both keys", futures_util::future::join_all(asked)).await;
    let keys: Vec<_> = keys.into_iter().map(|key| key.unwrap().to_vec()).collect();
    keys.try_into().unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &copied),
            false => drop(std::fs::copy(&path, copied).unwrap()),
        }
    }
}

/// A variable with its value, and the error of `zkwhirl up`. All wrong values are
/// tested in `zkwhirl/src/command/up/settings.rs`.
const WRONG: &str = "\
MAX_CIRCUIT_SIZE=3000000  is not a power of two
NUM_INNER_ROLLUP_TXS=0  must be a number from 1 to 64
NUM_OUTER_ROLLUP_PROOFS=99  must be a number from 1 to 64
PROVERLESS=yes  must be true or false
LAZY_INIT=1  must be true or false
PERSIST=on  must be true or false
DATA_DIR=/proc/version  is not a directory
JOB_SERVER_URL=falafel:8082  is not an http URL
API_PREFIX=halloumi  must start with /
PORT=http  must be a number from 0 to 65535
ZKWHIRL_ROLLUP_CLI=/nowhere/rollup_cli  is not a file
ZKWHIRL_ROLLUP_CLI=/proc/version  transcript00.dat: No such file
ZKWHIRL_SUIT=pedersen  did you mean ZKWHIRL_SUITE?";

#[test]
fn what_cannot_work_is_one_line_and_an_exit_code() {
    let refused = |variables: &[(&str, &str)], code, line: &str| {
        let mut up = command(SocketAddr::from(([127, 0, 0, 1], 1)));
        up.envs(variables.iter().copied());
        let output = up.stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("zkwhirl: "), "{said}");
        has(&said, &[line]);
    };
    for case in WRONG.lines() {
        let (set, line) = case.split_once("  ").unwrap();
        refused(&[set.split_once('=').unwrap()], 2, line);
    }
    let double = root().join("Cargo.toml");
    let program = ("ZKWHIRL_ROLLUP_CLI", text(&double));
    let poseidon = [program, ("ZKWHIRL_SUITE", "poseidon")];
    refused(&poseidon, 2, "is not what a rollup_cli proves");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let second = [("PROVERLESS", "true"), ("PORT", &*port)];
    refused(&second, 1, "set PORT to another one");
}
