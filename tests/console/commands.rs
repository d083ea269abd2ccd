//! `zkwhirl rollups|jobs|workers|dead|queues` as a person or a script calls
//! them.

use std::{
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};
use zkwhirl_ledger::JobState;

use crate::stage::{PATIENCE, Scene, Stage, TOKEN, claim};

/// The binary; the caller's own settings are no part of the test.
fn command(base: &str, token: Option<&str>, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkwhirl"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ZKWHIRL_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).env("ZKWHIRL_BRIDGE", base);
    if let Some(token) = token {
        command.env("ZKWHIRL_OPERATOR_TOKEN", token);
    }
    command.kill_on_drop(true);
    command
}

async fn run(base: &str, token: Option<&str>, arguments: &[&str]) -> Output {
    command(base, token, arguments).output().await.unwrap()
}

#[track_caller]
fn said(output: &Output, code: i32, words: &[&str]) {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    for word in words {
        assert!(
            out.contains(word) || err.contains(word),
            "{out}{err} lacks {word:?}"
        );
    }
}

async fn stage() -> Stage {
    let scene = Scene {
        slots: 2,
        work: Duration::ZERO,
        rollups: 0,
    };
    let stage = scene.start().await;
    stage.quiet(true).await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_is_found_looked_at_downloaded_and_replayed() {
    let stage = stage().await;
    let job = stage.a_dead_claim().await;
    let id = job.to_string();
    let (url, short) = (&stage.url, &id[..8]);
    said(
        &run(url, None, &["dead"]).await,
        0,
        &[short, "claim", "signal 9"],
    );
    said(
        &run(url, None, &["jobs", "--state=dead"]).await,
        0,
        &[short, "1 dead"],
    );
    let detail = run(url, None, &["jobs", "show", &id[..6]]).await;
    said(
        &detail,
        0,
        &[
            "taken",
            "dead",
            "attempt 2 on worker 2 failed (prover)",
            "bad_alloc",
        ],
    );
    said(
        &run(url, None, &["workers"]).await,
        0,
        &["worker 2", "quiet", "inner,outer"],
    );
    said(
        &run(url, None, &["queues"]).await,
        0,
        &["inner", "outer", "consumers"],
    );
    said(&run(url, None, &["rollups"]).await, 0, &["no rollup yet"]);
    let json = run(url, None, &["dead", "--json"]).await;
    let letters: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(letters["items"][0]["id"], id.as_str());

    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{id}.bin"));
    let _ = std::fs::remove_file(&file);
    let download = ["dead", "download", short, "--out", file.to_str().unwrap()];
    said(&run(url, Some(TOKEN), &download).await, 0, &["B"]);
    assert_eq!(std::fs::read(&file).unwrap(), claim().1);
    said(
        &run(url, Some(TOKEN), &download).await,
        2,
        &["cannot write"],
    );

    said(
        &run(url, Some(TOKEN), &["dead", "replay", "--all"]).await,
        0,
        &["back in the queue"],
    );
    said(
        &run(url, Some(TOKEN), &["dead", "replay", short]).await,
        1,
        &["must be dead"],
    );
    said(
        &run(url, Some(TOKEN), &["workers", "loud", "worker 1"]).await,
        0,
        &["told"],
    );
    stage.until_state(job, JobState::Delivered).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_codes_of_their_own_and_say_the_way_out() {
    let stage = stage().await;
    let (url, read_only) = (&stage.url, &stage.read_only);
    let quiet = ["workers", "quiet", "worker 1"];
    said(
        &run(url, None, &quiet).await,
        3,
        &["ZKWHIRL_OPERATOR_TOKEN"],
    );
    said(
        &run(url, Some("guess"), &quiet).await,
        3,
        &["not the operator's token"],
    );
    said(
        &run(read_only, Some(TOKEN), &quiet).await,
        3,
        &["read-only"],
    );
    let away = run("http://127.0.0.1:9", None, &["jobs"]).await;
    said(
        &away,
        4,
        &["cannot reach the bridge at http://127.0.0.1:9/", "--bridge"],
    );
    said(&run("ftp://x", None, &["jobs"]).await, 2, &["no http URL"]);
    said(
        &run(url, None, &["jobs", "show", "abcdef"]).await,
        1,
        &["no job abcdef"],
    );
    said(
        &run(url, None, &["jobs", "--limit=0"]).await,
        2,
        &["--limit"],
    );
    let none = ["dead", "replay", "--all"];
    said(
        &run(url, Some(TOKEN), &none).await,
        0,
        &["nothing to replay"],
    );
    let help = run(url, None, &["dead", "--help"]).await;
    said(&help, 0, &["Examples:", "Exit codes:", "FALAFEL HALTS"]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_view_is_shown_again_when_it_changes_and_ends_at_ctrl_c() {
    let stage = stage().await;
    let mut watching = command(&stage.url, None, &["jobs", "--watch"]);
    let mut watching = watching.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut until = async |words: &str| {
        let reading = async {
            loop {
                let line = lines.next_line().await.unwrap();
                if line.unwrap().contains(words) {
                    return;
                }
            }
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        read.unwrap_or_else(|_| panic!("{words:?} never came"))
    };
    until("no job yet").await;
    stage.ask(claim().1);
    until("1 queued").await;
    stage.quiet(false).await;
    until("1 delivered").await;
    let pid = Pid::from_raw(watching.id().unwrap() as i32).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(watching.wait().await.unwrap().code(), Some(0));
    stage.end().await;
}
