//! The page in a headless Chromium, which the scripts tests/node/*.mjs control.

use std::{env, path::PathBuf, process::Command, time::Duration};

use zkwhirl::cluster::{CliProvers, Provers};
use zkwhirl_job::Sizes;
use zkwhirl_ledger::JobState;

use super::stage::{ConsoleStage, TOKEN, claim, mocked};
use crate::stage::{Odd, Scene, node, root, said};

/// Environment variable; if it is set, the pictures of docs/images are replaced.
const IMAGES: &str = "ZKWHIRL_TEST_IMAGES";

/// Runs a script of tests/node, which must succeed.
fn look(script: &str, arguments: &[&str]) {
    let mut look = Command::new("node");
    look.arg(root().join("tests/node").join(script)).arg(node());
    said(look.args(arguments));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_a_rollup_live_and_an_operator_replays_a_dead_job() {
    // More rollups than are proved while the slowest browser runs.
    let stage = mocked(4, Duration::from_millis(900), 1000).await;
    stage.quiet(true).await;
    let job = stage.a_dead_claim().await.to_string();
    let folder = tempfile::tempdir().unwrap();
    let images = env::var_os(IMAGES).map_or(folder.path().to_owned(), PathBuf::from);
    std::fs::create_dir_all(&images).unwrap();
    stage.quiet(false).await;
    let images = images.to_str().unwrap();
    let arguments = [&stage.url, &stage.read_only, TOKEN, &job, images];
    look("console.mjs", &arguments);
    stage.end().await;
}

/// Provers that fail for lack of memory until the file `mended` exists.
fn without_memory() -> Odd {
    let zkwhirl = env!("CARGO_BIN_EXE_zkwhirl");
    Odd::script(|odd| {
        let mended = odd.path("mended");
        format!(
            "[ -e '{}' ] || {{ echo std::bad_alloc >&2; exit 134; }}\n\
             exec '{zkwhirl}' rollup-cli \"$@\"",
            mended.display(),
        )
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_used_its_attempts_up_is_replayed_and_delivered_when_its_cause_is_gone() {
    let odd = without_memory();
    let provers = CliProvers {
        mock: true,
        ..odd.provers(Sizes::new(1, 1).unwrap())
    };
    // Each slot stops consuming after its failure: one slot for each attempt.
    let scene = Scene::of(Provers::RollupCli(provers)).slots(5);
    let stage = ConsoleStage::of(scene).await;
    let (job, request) = claim();
    let asked = stage.ask(request);
    stage.until_state(job, JobState::Dead).await;
    std::fs::write(odd.path("mended"), "").unwrap();
    look("replay.mjs", &[&stage.url, TOKEN, &job.to_string()]);
    let reply = asked.await;
    assert!(reply.is_ok(), "Falafel has its proof: {reply:?}");
    assert_eq!(stage.falafel.stats().nacks, 0);
    stage.end().await;
}
