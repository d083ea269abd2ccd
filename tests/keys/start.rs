//! `LAZY_INIT`, `PERSIST`, `DATA_DIR` and `MAX_CIRCUIT_SIZE` at the start.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::support::Keys;
use crate::stage::{refused, said, zkwhirl};

/// Runs `rollup-cli` with an empty standard input: it starts, then exits.
fn rollup_cli(lazy: &str, persist: &str, data: &Path) -> Command {
    let mut command = zkwhirl(["rollup-cli", "unused", "1", "1", "false", lazy, persist]);
    command
        .arg(data)
        .args(["--suite=poseidon", "--allow-dev-keys"])
        .stdin(Stdio::null());
    command
}

#[test]
fn a_circuit_that_is_too_large_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let words = [
        "circuit claim/poseidon needs a domain of 32768, MAX_CIRCUIT_SIZE is 16384",
        "raise it to 32768 or more\n",
    ];
    for lazy in ["true", "false"] {
        let mut command = rollup_cli(lazy, "true", &data);
        refused(command.env("MAX_CIRCUIT_SIZE", "16384"), 2, &words);
    }
    // No server answers at these addresses: the error comes before they are used.
    let mut worker = zkwhirl(["worker", "--overcommit", "--allow-dev-keys"]);
    worker
        .args(["--amqp-url", "amqp://localhost:1/none"])
        .args(["--redis-url", "redis://localhost:1"])
        .arg("--data-dir")
        .arg(&data)
        .env("MAX_CIRCUIT_SIZE", "16384");
    refused(&mut worker, 2, &words);
    assert!(!data.exists(), "no folder was made");
}

#[test]
fn lazy_init_makes_no_key_and_without_persist_none_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    said(&mut rollup_cli("true", "true", &data));
    assert!(!data.exists(), "lazy: no request, no key");

    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut command = rollup_cli("false", "false", &data);
    command.arg("--topic=outer"); // the smaller ones
    // Keys were made at the start.
    refused(command.env("TMPDIR", &temporary), 0, &["key"]);
    assert!(!data.exists(), "keys are not kept: DATA_DIR is not used");
    let left = fs::read_dir(&temporary).unwrap().count();
    assert_eq!(left, 0, "nothing is left");
}

/// An instance for inner jobs loads the inner keys only, and one for outer jobs the
/// outer keys only.
#[test]
fn the_keys_of_a_topic_are_loaded_without_those_of_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (inner, outer) = (["claim/", "tx-rollup/"], ["root-rollup/", "join-split/"]);
    for (topic, own, others) in [("inner", inner, outer), ("outer", outer, inner)] {
        let data = Keys(folder.path().join(topic));
        let mut command = rollup_cli("false", "true", &data);
        said(command.arg(format!("--topic={topic}")));
        let list = data.say("list", &own);
        let more = others.iter().any(|name| list.contains(name));
        assert!(!more, "{topic}: {list}");
    }
}
