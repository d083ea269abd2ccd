//! The set-up of all suites: a cluster in this process ([`Scene`]), a fleet of
//! processes ([`Fleet`]), or the binary alone ([`zkwhirl`]). Ports come from the
//! system, folders from `tempfile`; all processes end with their test, even if
//! the test panics.

mod cluster;
mod events;
mod figures;
mod fleet;
mod odd;
mod process;
mod provers;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rustix::process::Pid;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;
use zkwhirl_falafel::{Falafel, PipelineState};
use zkwhirl_testkit::{vector_path, within};

pub(crate) use cluster::{Scene, Stage, plan};
pub(crate) use figures::{claimed_again, order, say, times};
pub(crate) use fleet::{Fleet, Wanted, role};
pub(crate) use odd::Odd;
pub(crate) use process::{Process, has, json, prints, refused, said, zkwhirl};
pub(crate) use provers::{
    MAX_CIRCUIT_SIZE, data_dir, engine, engine_with, final_buffer, native, proverless,
};

/// The simulated Falafel's lease unless a test needs the original's 5 s. No
/// machine delays a bridge's pings for so long: if a ticket is issued again, the
/// bridge is at fault.
pub(crate) const LEASE: Duration = Duration::from_secs(20);

/// Waits until fewer than two heavy tests (with a fleet or with real proofs) run,
/// whatever the number of test threads.
pub(crate) async fn turn() -> SemaphorePermit<'static> {
    static TURNS: Semaphore = Semaphore::const_new(2);
    TURNS.acquire().await.unwrap()
}

pub(crate) async fn settled(falafel: &Falafel) {
    let state = within("Falafel settles", falafel.finished()).await;
    assert_eq!(state, PipelineState::Done);
}

/// The processes whose command line has this path.
pub(crate) fn processes_of(path: &Path) -> Vec<Pid> {
    let path = path.display().to_string();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        Pid::from_raw(pid).filter(|_| command.contains(&path))
    });
    processes.collect()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn url(address: std::net::SocketAddr) -> Url {
    format!("http://{address}").parse().unwrap()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Imports the recorded verification keys of the clients' circuits.
pub(crate) fn import_client_vks(suite: &str, data_dir: &Path) -> Command {
    let mut import = zkwhirl(["keys", "import", "--suite", suite, "--data-dir"]);
    let [join_split, account] =
        ["valid_jsvk_reply_real", "valid_accvk_reply_real"].map(vector_path);
    import.arg(data_dir).arg("--join-split-vk").arg(join_split);
    import.arg("--account-vk").arg(account);
    import
}

/// The folder of the tests' Node.js scripts.
pub(crate) fn node() -> PathBuf {
    said(&mut Command::new(root().join("scripts/node")))
        .trim()
        .into()
}
