//! The page in a headless Chromium: tests/node/console.mjs looks and clicks.

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use crate::stage::{Scene, TOKEN};

/// Set, the pictures of docs/images are made anew.
const IMAGES: &str = "ZKWHIRL_TEST_IMAGES";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_a_rollup_live_and_an_operator_replays_a_dead_job() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let node = Command::new(root.join("scripts/node"))
        .output()
        .await
        .unwrap();
    assert!(node.status.success(), "{node:?}");
    let modules = String::from_utf8(node.stdout).unwrap();
    let stage = Scene {
        slots: 4,
        work: Duration::from_millis(900),
        rollups: 3,
    }
    .start()
    .await;
    stage.quiet(true).await;
    let job = stage.a_dead_claim().await;
    let images = env::var_os(IMAGES).map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("console"),
        PathBuf::from,
    );
    std::fs::create_dir_all(&images).unwrap();
    stage.quiet(false).await;
    let looking = Command::new("node")
        .arg(root.join("tests/node/console.mjs"))
        .arg(modules.trim())
        .args([&stage.url, &stage.read_only, TOKEN, &job.to_string()])
        .arg(&images)
        .kill_on_drop(true)
        .output();
    let seen = tokio::time::timeout(Duration::from_secs(300), looking).await;
    let seen = seen.unwrap().unwrap();
    let said = String::from_utf8_lossy(&seen.stderr);
    assert!(seen.status.success(), "{said}");
    stage.end().await;
}
