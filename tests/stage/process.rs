//! The binary, started as a person, a script or a pod starts it.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::Instant;
use zkwhirl_testkit::PATIENCE;

/// A command of the binary, without the caller's `ZKWHIRL_*` variables.
pub(crate) fn zkwhirl<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkwhirl"));
    command.args(arguments);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("ZKWHIRL_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command that must succeed; returns its standard output.
#[track_caller]
pub(crate) fn said(command: &mut Command) -> String {
    prints(command, 0, &[])
}

/// Runs a command that must succeed; returns its standard output as JSON.
#[track_caller]
pub(crate) fn json(command: &mut Command) -> Value {
    serde_json::from_str(&said(command.arg("--json"))).unwrap()
}

/// Runs a command that must exit with this code and print these words on standard
/// error.
#[track_caller]
pub(crate) fn refused(command: &mut Command, code: i32, words: &[&str]) -> String {
    let (out, complaint) = ended(command, code);
    has(&complaint, words);
    out
}

/// Runs a command that must exit with this code and print these words on standard
/// output or standard error.
#[track_caller]
pub(crate) fn prints(command: &mut Command, code: i32, words: &[&str]) -> String {
    let (out, complaint) = ended(command, code);
    has(&format!("{out}{complaint}"), words);
    out
}

#[track_caller]
fn ended(command: &mut Command, code: i32) -> (String, String) {
    let output = command.output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{command:?}: {complaint}");
    (String::from_utf8(output.stdout).unwrap(), complaint)
}

#[track_caller]
pub(crate) fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{text:?} lacks {word:?}");
    }
}

/// A process that is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Starts a command; returns the process and its standard output.
    pub(crate) fn start_piped(command: &mut Command) -> (Self, ChildStdout) {
        let mut process = Self::start(command.stdout(Stdio::piped()));
        let output = process.0.stdout.take().unwrap();
        (process, output)
    }

    /// Starts a command and reads its output until `find` returns `Some` for a line.
    pub(crate) fn start_and_find<T>(
        command: &mut Command,
        find: impl Fn(&str) -> Option<T>,
    ) -> (Self, T) {
        let (process, output) = Self::start_piped(command);
        let mut lines = BufReader::new(output).lines();
        let found = lines.find_map(|line| find(&line.unwrap()));
        // A thread keeps the pipe open and reads the rest.
        thread::spawn(move || lines.for_each(drop));
        (process, found.expect("the process says it before it ends"))
    }

    /// Starts a command and calls `hear` for each line of its output.
    pub(crate) fn start_and_hear(command: &mut Command, hear: impl Fn() + Send + 'static) -> Self {
        let (process, output) = Self::start_piped(command);
        let lines = BufReader::new(output).lines();
        thread::spawn(move || lines.for_each(|_| hear()));
        process
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Kills the process with SIGKILL, by dropping it.
    pub(crate) fn kill(self) {}

    pub(crate) fn drain(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Waits until the process has ended; returns its exit code, `None` after a signal.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(code) = self.ended() {
                return code;
            }
            assert!(began.elapsed() < PATIENCE, "process {} runs on", self.id());
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// The exit code, if the process has ended.
    pub(crate) fn ended(&mut self) -> Option<Option<i32>> {
        let status = self.0.try_wait().unwrap();
        status.map(|status| status.code())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
