//! Tests of the server with requests as `rollup_cli` receives them.

use std::fs;

use super::*;

/// Replies to a request with the request's length; claims fail.
struct Echo;

impl ProofService for Echo {
    fn prove(&mut self, request: Bytes) -> Result<Bytes, Failure> {
        match request[3] {
            2 => Err(Failure::invalid("claims fail here")),
            _ => Ok((request.len() as u32).to_be_bytes().to_vec().into()),
        }
    }

    fn verification_key(&mut self, command: Command) -> Bytes {
        command.to_string().into()
    }
}

fn run(input: &[u8]) -> (io::Result<()>, Vec<u8>, Vec<String>) {
    let mut output = Vec::new();
    let mut failures = Vec::new();
    let end = serve(&mut Echo, input, &mut output, &mut |failure| {
        failures.push(failure.to_string());
    });
    (end, output, failures)
}

/// Serves `input` and asserts the output, the failures, and a clean end.
#[track_caller]
fn answered(input: &[&[u8]], output: &[u8], failures: &[&str]) {
    let (end, answers, said) = run(&input.concat());
    end.unwrap();
    assert_eq!(answers, output);
    assert_eq!(said, failures);
}

fn vector(name: &str) -> Vec<u8> {
    let path = format!("{}/../tests/vectors/{name}.bin", env!("CARGO_MANIFEST_DIR"));
    fs::read(path).unwrap()
}

#[test]
fn a_ping_is_answered_by_one_byte() {
    answered(&[&[0, 0, 2, 154]], &[1], &[]);
}

#[test]
fn keys_have_a_length_and_no_verified_byte() {
    let keys = b"\0\0\0\x11get-join-split-vk\0\0\0\x0eget-account-vk";
    answered(&[&[0, 0, 0, 100], &[0, 0, 0, 101]], keys, &[]);
}

#[test]
fn requests_follow_each_other_without_lengths() {
    let (tx, claim) = (vector("tx_rollup_1tx"), vector("claim_0"));
    let mut expected = vec![0, 0, 0, 4];
    expected.extend((tx.len() as u32).to_be_bytes());
    expected.push(1); // verified
    expected.extend([0, 0, 0, 0, 0]); // no reply, not verified
    expected.push(1); // the ping
    let requests: [&[u8]; 3] = [&tx, &claim, &PING.to_be_bytes()];
    answered(&requests, &expected, &["invalid: claims fail here"]);
}

/// Falafel never requests the proof of an account. The caller gets a reason, and
/// the server goes on.
#[test]
fn an_account_transaction_is_read_to_its_end_and_not_proved() {
    let mut account = vec![0; 2510];
    account[3] = 4;
    account[333] = 32; // the depth of its path
    let reason = "invalid: an account transaction is proved by its client, not by this prover";
    answered(
        &[&account, &PING.to_be_bytes()],
        &[0, 0, 0, 0, 0, 1],
        &[reason],
    );
}

#[test]
fn the_end_between_requests_is_clean_and_inside_one_it_is_not() {
    let claim = vector("claim_0");
    assert!(run(&[]).0.is_ok());
    for cut in [1, 3, 4, 100, claim.len() - 1] {
        let (end, output, _) = run(&claim[..cut]);
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(output.is_empty());
    }
}

#[test]
fn an_unknown_code_ends_the_stream_with_a_message() {
    let (end, output, _) = run(&7u32.to_be_bytes());
    assert!(end.unwrap_err().to_string().starts_with("unknown code 7"));
    assert!(output.is_empty());
}

#[test]
fn an_announced_length_beyond_the_limits_is_refused_before_it_is_read() {
    let input = [3u32.to_be_bytes(), u32::MAX.to_be_bytes()].concat();
    let (end, ..) = run(&input);
    assert!(end.unwrap_err().to_string().contains("must be at most"));
}
