//! The page in a headless Chromium: tests/node/*.mjs look and click.

use std::{
    env,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;
use zkwhirl::cluster::{CliProvers, Provers};
use zkwhirl_job::Sizes;
use zkwhirl_ledger::JobState;

use crate::stage::{Scene, TOKEN, claim};

/// Set, the pictures of docs/images are made anew.
const IMAGES: &str = "ZKWHIRL_TEST_IMAGES";

/// Runs a script of tests/node; it must find everything as it should be.
async fn look(script: &str, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let node = Command::new(root.join("scripts/node"))
        .output()
        .await
        .unwrap();
    assert!(node.status.success(), "{node:?}");
    let modules = String::from_utf8(node.stdout).unwrap();
    let looking = Command::new("node")
        .arg(root.join("tests/node").join(script))
        .arg(modules.trim())
        .args(arguments)
        .kill_on_drop(true)
        .output();
    let seen = tokio::time::timeout(Duration::from_secs(300), looking).await;
    let seen = seen.unwrap().unwrap();
    let said = String::from_utf8_lossy(&seen.stderr);
    assert!(seen.status.success(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_a_rollup_live_and_an_operator_replays_a_dead_job() {
    let stage = Scene {
        slots: 4,
        work: Duration::from_millis(900),
        rollups: 3,
    }
    .start()
    .await;
    stage.quiet(true).await;
    let job = stage.a_dead_claim().await.to_string();
    let images = env::var_os(IMAGES).map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("console"),
        PathBuf::from,
    );
    std::fs::create_dir_all(&images).unwrap();
    stage.quiet(false).await;
    let images = images.to_str().unwrap();
    let arguments = [&stage.url, &stage.read_only, TOKEN, &job, images];
    look("console.mjs", &arguments).await;
    stage.end().await;
}

/// Provers that die of too little memory until `mended` is there.
fn provers_without_memory(folder: &Path, mended: &Path) -> Provers {
    let program = folder.join("rollup_cli");
    let script = format!(
        "#!/bin/sh\n[ -e '{}' ] || {{ echo std::bad_alloc >&2; exit 134; }}\n\
         exec '{}' rollup-cli \"$@\"\n",
        mended.display(),
        env!("CARGO_BIN_EXE_zkwhirl"),
    );
    std::fs::write(&program, script).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, executable).unwrap();
    Provers::RollupCli(CliProvers {
        sizes: Sizes::new(1, 1).unwrap(),
        program,
        data_dir: folder.join("data"),
        max_circuit_size: 2,
        mock: true,
        lazy_init: true,
        persist: false,
        memory_limit: None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_used_its_attempts_up_is_replayed_and_delivered_when_its_cause_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mended = folder.path().join("mended");
    let stage = Scene {
        // Each leaves the queue after its failure: one for each attempt.
        slots: 5,
        work: Duration::ZERO,
        rollups: 0,
    }
    .start_with(provers_without_memory(folder.path(), &mended))
    .await;
    let (job, request) = claim();
    let falafel = stage.falafel.clone();
    let asked = tokio::spawn(async move { falafel.prove(request).await });
    stage.until_state(job, JobState::Dead).await;
    std::fs::write(&mended, "").unwrap();
    look("replay.mjs", &[&stage.url, TOKEN, &job.to_string()]).await;
    let reply = asked.await.unwrap();
    assert!(reply.is_ok(), "Falafel has its proof: {reply:?}");
    assert_eq!(stage.falafel.stats().nacks, 0);
    stage.end().await;
}
