//! The misbehaving prover with `rollup_cli`'s command line.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use rustix::process::{Signal, kill_process};
use tempfile::TempDir;
use zkwhirl::cluster::CliProvers;
use zkwhirl_job::Sizes;

use super::processes_of;

/// A program that is called like `rollup_cli` and misbehaves.
pub(crate) struct Odd {
    directory: TempDir,
}

impl Drop for Odd {
    fn drop(&mut self) {
        // A hanging process does not notice that its parent was killed.
        for process in processes_of(self.directory.path()) {
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

impl Odd {
    /// A program whose first process misbehaves.
    pub(crate) fn new(habit: &str) -> Self {
        let double = env!("CARGO_BIN_EXE_rollup-cli-double");
        Self::script(|odd| {
            let marker = odd.path("marker");
            format!("exec '{double}' {habit} '{}' \"$@\"", marker.display())
        })
    }

    /// Writes a shell script as the program.
    pub(crate) fn script(body: impl Fn(&Self) -> String) -> Self {
        let odd = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        fs::write(odd.program(), format!("#!/bin/sh\n{}\n", body(&odd))).unwrap();
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

    /// The log of the program's processes, oldest first: process id and text.
    pub(crate) fn log(&self) -> Vec<(u32, String)> {
        let log = fs::read_to_string(self.path("marker.log")).unwrap_or_default();
        let lines = log.lines().map(|line| {
            let (pid, words) = line.split_once(' ').unwrap();
            (pid.parse().unwrap(), words.to_owned())
        });
        lines.collect()
    }

    /// The process ids of the log lines that begin with `start`, one per line.
    pub(crate) fn logged(&self, start: &str) -> Vec<u32> {
        let log = self.log().into_iter();
        let such = log.filter(|(_, words)| words.starts_with(start));
        such.map(|(pid, _)| pid).collect()
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

    /// Writes a reference string of a few points, which no process reads.
    pub(crate) fn make_crs(&self) {
        let crs = self.path("data/crs");
        fs::create_dir_all(&crs).unwrap();
        let words = [0u32, 7, 35_000_000, 1, 16, 1, 0];
        let mut transcript: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        transcript.resize(28 + 16 * 64, 0);
        fs::write(crs.join("transcript00.dat"), transcript).unwrap();
    }
}
