//! `zkwhirl rollups|jobs|workers|dead|queues`, run as a person or a script runs
//! them.

use std::{
    io::{BufRead, BufReader},
    process::Command,
};

use rustix::process::Signal;
use zkwhirl_ledger::JobState;

use super::stage::{ConsoleStage, TOKEN, claim, idle};
use crate::stage::{Process, json, prints, text, zkwhirl};

fn command(base: &str, token: Option<&str>, arguments: &[&str]) -> Command {
    let mut command = zkwhirl(arguments);
    command.env("ZKWHIRL_BRIDGE", base);
    if let Some(token) = token {
        command.env("ZKWHIRL_OPERATOR_TOKEN", token);
    }
    command
}

/// A stage whose two slots are paused.
async fn quiet() -> ConsoleStage {
    let stage = idle().await;
    stage.quiet(true).await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_is_found_looked_at_downloaded_and_replayed() {
    let stage = quiet().await;
    let job = stage.a_dead_claim().await;
    let id = job.to_string();
    let short = &id[..8];
    let url = &*stage.url;
    let asked =
        |arguments: &[&str], words: &[&str]| prints(&mut command(url, None, arguments), 0, words);
    let done = |arguments: &[&str], code: i32, words: &[&str]| {
        prints(&mut command(url, Some(TOKEN), arguments), code, words)
    };
    asked(&["dead"], &[short, "claim", "signal 9"]);
    asked(&["jobs", "--state=dead"], &[short, "1 dead"]);
    let failure = "attempt 2 on worker 2 failed (prover)";
    let detail = ["taken", "dead", failure, "bad_alloc"];
    asked(&["jobs", "show", &id[..6]], &detail);
    asked(&["workers"], &["worker 2", "quiet", "inner,outer"]);
    asked(&["queues"], &["inner", "outer", "consumers"]);
    asked(&["rollups"], &["no rollup yet"]);
    let letters = json(&mut command(&stage.url, None, &["dead"]));
    assert_eq!(letters["items"][0]["id"], id.as_str());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("request.bin");
    let download = ["dead", "download", short, "--out", text(&file)];
    done(&download, 0, &["B"]);
    assert_eq!(std::fs::read(&file).unwrap(), claim().1);
    done(&download, 2, &["cannot write"]);

    done(&["dead", "replay", "--all"], 0, &["back in the queue"]);
    done(&["dead", "replay", short], 1, &["must be dead"]);
    done(&["workers", "loud", "worker 1"], 0, &["message sent"]);
    stage.until_state(job, JobState::Delivered).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_codes_of_their_own_and_say_the_way_out() {
    let stage = quiet().await;
    let (url, read_only) = (&*stage.url, &*stage.read_only);
    let away = "http://127.0.0.1:9";
    let unreachable = "cannot reach the bridge at http://127.0.0.1:9/";
    let check = |base, token, line: &str, code, words: &[&str]| {
        let arguments: Vec<_> = line.split('|').collect();
        prints(&mut command(base, token, &arguments), code, words);
    };
    let quiet = "workers|quiet|worker 1";
    check(url, None, quiet, 3, &["ZKWHIRL_OPERATOR_TOKEN"]);
    check(url, Some("guess"), quiet, 3, &["not the operator's token"]);
    check(read_only, Some(TOKEN), quiet, 3, &["read-only"]);
    check(away, None, "jobs", 4, &[unreachable, "--bridge"]);
    check("ftp://x", None, "jobs", 2, &["not an http URL"]);
    check(url, None, "jobs|show|abcdef", 1, &["no job abcdef"]);
    check(url, None, "jobs|--limit=0", 2, &["--limit"]);
    check(
        url,
        Some(TOKEN),
        "dead|replay|--all",
        0,
        &["nothing to replay"],
    );
    let help = ["Examples:", "Exit codes:", "FALAFEL HALTS"];
    check(url, None, "dead|--help", 0, &help);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_view_is_shown_again_when_it_changes_and_ends_at_ctrl_c() {
    let stage = quiet().await;
    let mut watch = command(&stage.url, None, &["jobs", "--watch"]);
    let (mut watching, output) = Process::start_piped(&mut watch);
    let mut lines = BufReader::new(output).lines();
    let mut until = |words: &str| {
        assert!(
            lines.any(|line| line.unwrap().contains(words)),
            "{words:?} never came"
        );
    };
    until("no job yet");
    drop(stage.ask(claim().1));
    until("1 queued");
    stage.quiet(false).await;
    until("1 delivered");
    watching.signal(Signal::INT);
    assert_eq!(watching.end(), Some(0));
    stage.end().await;
}
