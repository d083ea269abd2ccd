//! A claim, its proof and its key, made once, and commands about keys.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;
use zkwhirl_circuits::Suite;
use zkwhirl_prover::native::self_test_request;

use crate::stage::{self, prints, said, zkwhirl};

/// A folder with a claim, its proof, and the key of both.
pub(crate) struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    /// The folder that the tests share; no test changes its files.
    pub(crate) fn get() -> &'static Self {
        static MADE: OnceLock<Made> = OnceLock::new();
        MADE.get_or_init(|| {
            let made = Self {
                folder: tempfile::tempdir().unwrap(),
            };
            fs::write(made.path("claim"), self_test_request(Suite::Poseidon)).unwrap();
            let mut prove = zkwhirl(["prove", "--write-replies"]);
            prove.arg(made.path("claim")).arg("--data-dir");
            said(prove.arg(made.path("data")));
            made
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys(self.path("data"))
    }

    /// Creates a data directory with a copy of the key; returns both paths.
    pub(crate) fn copy(&self, folder: &Path) -> (Keys, PathBuf) {
        let keys = folder.join("keys");
        fs::create_dir_all(&keys).unwrap();
        let files = fs::read_dir(self.path("data/keys")).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        let key = files.find(|file| file.extension().is_some_and(|end| end == "key"));
        let key = key.unwrap();
        let copy = keys.join(key.file_name().unwrap());
        fs::copy(key, &copy).unwrap();
        (Keys(folder.to_owned()), copy)
    }
}

/// A data directory, for commands about its keys.
pub(crate) struct Keys(pub(crate) PathBuf);

impl Deref for Keys {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Keys {
    fn command(&self, command: &str) -> Command {
        let mut keys = zkwhirl(["keys"].into_iter().chain(command.split(' ')));
        keys.arg("--data-dir").arg(&self.0);
        keys
    }

    /// Runs a command that must succeed and print these words.
    #[track_caller]
    pub(crate) fn say(&self, command: &str, words: &[&str]) -> String {
        prints(&mut self.command(command), 0, words)
    }

    #[track_caller]
    pub(crate) fn json(&self, command: &str) -> Value {
        stage::json(&mut self.command(command))
    }

    /// Runs a command that must exit with this code and print these words on
    /// standard error.
    #[track_caller]
    pub(crate) fn refuse(&self, command: &str, code: i32, words: &[&str]) {
        stage::refused(&mut self.command(command), code, words);
    }
}
