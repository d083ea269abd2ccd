//! The misbehaving prover behind `rollup_cli`'s command line, and recorded
//! files.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use url::Url;
use zkwhirl::cluster::CliProvers;
use zkwhirl_job::Sizes;

/// A program that is called as `rollup_cli` is, and has a habit.
pub(crate) struct Odd {
    pub(crate) directory: TempDir,
}

impl Odd {
    /// One that misbehaves once: the process that is first.
    pub(crate) fn new(habit: &str) -> Self {
        let odd = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        let script = format!(
            "#!/bin/sh\nexec '{}' {habit} '{}' \"$@\"\n",
            env!("CARGO_BIN_EXE_rollup-cli-double"),
            odd.path("marker").display(),
        );
        fs::write(odd.program(), script).unwrap();
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(odd.program(), executable).unwrap();
        odd
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.path("rollup_cli")
    }

    /// What its processes logged, oldest first: process id and words.
    pub(crate) fn log(&self) -> Vec<(u32, String)> {
        let log = fs::read_to_string(self.path("marker.log")).unwrap_or_default();
        let lines = log.lines().map(|line| {
            let (pid, words) = line.split_once(' ').unwrap();
            (pid.parse().unwrap(), words.to_owned())
        });
        lines.collect()
    }

    /// The processes that were given requests, one entry a request.
    pub(crate) fn provers_of_requests(&self) -> Vec<u32> {
        let log = self.log().into_iter();
        log.filter(|(_, words)| words.starts_with("request"))
            .map(|(pid, _)| pid)
            .collect()
    }

    pub(crate) fn provers(&self, sizes: Sizes) -> CliProvers {
        CliProvers {
            sizes,
            program: self.program(),
            data_dir: self.path("data"),
            max_circuit_size: 2,
            mock: false,
            lazy_init: true,
            persist: false,
            memory_limit: None,
        }
    }

    /// A reference string of a few points that nobody reads.
    pub(crate) fn make_crs(&self) {
        let crs = self.path("data/crs");
        fs::create_dir_all(&crs).unwrap();
        let words = [0u32, 7, 35_000_000, 1, 16, 1, 0];
        let mut transcript: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        transcript.resize(28 + 16 * 64, 0);
        fs::write(crs.join("transcript00.dat"), transcript).unwrap();
    }
}

/// The binary, without what the caller's shell has set.
pub(crate) fn zkwhirl(command: &str) -> Command {
    let mut zkwhirl = Command::new(env!("CARGO_BIN_EXE_zkwhirl"));
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("ZKWHIRL_") {
            zkwhirl.env_remove(name);
        }
    }
    zkwhirl.arg(command);
    zkwhirl
}

/// A process that is killed when it is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// SIGTERM, and the exit code.
    pub(crate) fn drain(mut self) -> Option<i32> {
        let pid = Pid::from_raw(self.0.id() as i32).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file made by the original code.
pub(crate) fn vector(name: &str) -> Bytes {
    let path = root().join(format!("tests/vectors/{name}.bin"));
    fs::read(&path).unwrap().into()
}

pub(crate) fn url(address: std::net::SocketAddr) -> Url {
    format!("http://{address}").parse().unwrap()
}
