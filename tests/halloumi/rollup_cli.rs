//! `zkwhirl rollup-cli`, started as Halloumi starts it.

use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, ChildStdout, Output, Stdio},
};

use zkwhirl_circuits::Suite;
use zkwhirl_prover::native::self_test_request;
use zkwhirl_testkit::vector;

use crate::stage::{has, zkwhirl};

/// The fields in both replies: of a tx rollup all except the recursion limbs.
const FIELDS: [(&str, usize); 4] = [
    ("0_tx_rollup", 124),
    ("1_tx_rollup", 124),
    ("2_root_rollup", 174),
    ("3_root_verifier", 174),
];

struct RollupCli {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl RollupCli {
    /// Starts the command with the seven arguments in Halloumi's order, and with
    /// flags that have no Halloumi variable.
    fn start(arguments: &str, variables: &[(&str, &str)]) -> Self {
        let mut child = zkwhirl(["rollup-cli"])
            .args(arguments.split(' '))
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: child.stdout.take().unwrap(),
            child,
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).unwrap();
    }

    fn code(&mut self, code: u32) {
        self.send(&code.to_be_bytes());
    }

    fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.output.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Reads a length and this number of bytes.
    fn sized(&mut self) -> Vec<u8> {
        let length = self.read(4);
        self.read(u32::from_be_bytes(length.try_into().unwrap()) as usize)
    }

    fn ping(&mut self) {
        self.code(666);
        assert_eq!(self.read(1), [1]);
    }

    /// Closes standard input; returns the exit code, the rest of standard output,
    /// and standard error.
    fn end(self) -> (Option<i32>, Vec<u8>, String) {
        drop(self.input);
        let mut rest = Vec::new();
        let mut output = self.output;
        output.read_to_end(&mut rest).unwrap();
        let Output { status, stderr, .. } = self.child.wait_with_output().unwrap();
        (status.code(), rest, String::from_utf8(stderr).unwrap())
    }
}

const MOCK: &str = "./data/crs 2 2 true true false ./data";

#[test]
fn every_code_is_answered_in_the_originals_frames() {
    let mut cli = RollupCli::start(MOCK, &[]);
    cli.ping();
    for (name, words) in FIELDS {
        cli.send(&vector(&format!("valid_2x2_{name}_request")));
        let original = vector(&format!("valid_2x2_{name}_reply"));
        let reply = cli.sized();
        assert_eq!(reply.len(), original.len(), "{name}");
        assert!(reply[..32 * words] == original[..32 * words], "{name}");
        assert_eq!(cli.read(1), [1], "{name}: verified");
    }
    cli.send(&vector("valid_claim_0_request"));
    let original = vector("valid_claim_0_reply_real");
    assert_eq!(cli.sized()[..512], original[..512]);
    assert_eq!(cli.read(1), [1]);
    for key in [100, 101] {
        cli.code(key);
        assert_eq!(cli.sized().len(), 1168);
    }
    // No verified byte stands between the key and the next reply.
    cli.ping();
    let (code, rest, said) = cli.end();
    assert_eq!((code, rest.len(), said.as_str()), (Some(0), 0, ""));
}

#[test]
fn an_account_transaction_is_refused_and_the_stream_goes_on() {
    let mut cli = RollupCli::start(MOCK, &[]);
    let mut account = vec![0; 2510];
    (account[3], account[333]) = (4, 32); // the code, and the path's depth
    cli.send(&account);
    assert_eq!(cli.read(5), [0; 5], "no reply, not verified");
    cli.ping();
    let (code, _, said) = cli.end();
    assert_eq!(code, Some(0));
    has(&said, &["an account transaction is proved by its client"]);
}

#[test]
fn the_native_engine_proves_refuses_what_is_false_and_lives_on() {
    let data = tempfile::tempdir().unwrap();
    let arguments = format!("unused 1 1 false true true {}", data.path().display());
    let suite = ("ZKWHIRL_SUITE", "poseidon");
    let mut cli = RollupCli::start(&arguments, &[suite, ("ZKWHIRL_ALLOW_DEV_KEYS", "true")]);
    cli.ping();
    let claim = self_test_request(Suite::Poseidon);
    cli.send(&claim);
    assert!(cli.sized().len() > 512);
    assert_eq!(cli.read(1), [1]);
    let mut lie = claim.to_vec();
    *lie.last_mut().unwrap() ^= 1; // output value b
    cli.send(&lie);
    assert_eq!(cli.read(5), [0; 5], "no reply, not verified");
    cli.ping();
    let (code, rest, said) = cli.end();
    assert_eq!((code, rest.len()), (Some(0), 0));
    let failure = "@zkwhirl failure invalid output value b is not the deposit's share";
    has(&said, &[failure]);
}

#[test]
fn a_stream_that_cannot_be_trusted_ends_it_with_a_message() {
    let bomb = [3u32.to_be_bytes(), u32::MAX.to_be_bytes()].concat();
    let claim = vector("claim_0");
    let [seven, most] = [7, u32::MAX].map(u32::to_be_bytes);
    let length = "a buffer's length is 4294967295, must be at most 2097152";
    let table: [(&[u8], &str); 4] = [
        (&seven, "unknown code 7: 0 tx rollup, 1 root rollup"),
        (&most, "unknown code 4294967295"),
        (&bomb, length),
        (&claim[..1000], "cannot go on with this stream"),
    ];
    for (bytes, words) in table {
        let mut cli = RollupCli::start(MOCK, &[]);
        cli.ping();
        cli.send(bytes);
        let (code, rest, said) = cli.end();
        assert_eq!((code, rest.len()), (Some(1), 0), "{said}");
        has(&said, &[words]);
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn wrong_arguments_are_told_before_anything_is_read() {
    let inners = "inner rollups per root is 65, must be from 1 to 64";
    for (arguments, words) in [
        ("crs 0 1", "txs per inner rollup is 0, must be from 1 to 64"),
        ("crs 28 65", inners),
        ("crs many 1", "invalid value 'many'"),
    ] {
        let (code, _, said) = RollupCli::start(arguments, &[]).end();
        assert_eq!(code, Some(2), "{said}");
        has(&said, &[words]);
    }
}

#[test]
fn it_leaves_when_nobody_reads_its_answers() {
    let mut cli = RollupCli::start(MOCK, &[]);
    drop(cli.output);
    // Standard input is still open.
    assert_eq!(cli.child.wait().unwrap().code(), Some(1));
}
