//! The binary, a claim, and its key, made once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;
use zkwhirl_circuits::Suite;
use zkwhirl_prover::native::self_test_request;

/// A folder with a claim, its proof, and the key of both.
pub(crate) struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    /// The folder that the tests share; nobody changes what is in it.
    pub(crate) fn get() -> &'static Self {
        static MADE: OnceLock<Made> = OnceLock::new();
        MADE.get_or_init(|| {
            let made = Self {
                folder: tempfile::tempdir().unwrap(),
            };
            fs::write(made.path("claim"), self_test_request(Suite::Poseidon)).unwrap();
            let (data, claim) = (made.path("data"), made.path("claim"));
            said(
                zkwhirl(&["prove", "--write-replies"])
                    .arg(claim)
                    .arg("--data-dir")
                    .arg(data),
            );
            made
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A data directory of one's own with a copy of the key, and that file.
    pub(crate) fn copy(&self, folder: &Path) -> PathBuf {
        let keys = folder.join("keys");
        fs::create_dir_all(&keys).unwrap();
        let files = fs::read_dir(self.path("data/keys")).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        let key = files.find(|file| file.extension().is_some_and(|end| end == "key"));
        let key = key.unwrap();
        let copy = keys.join(key.file_name().unwrap());
        fs::copy(key, &copy).unwrap();
        copy
    }
}

pub(crate) fn zkwhirl(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkwhirl"));
    command.args(arguments);
    // Whatever the caller's shell has set is not part of the test.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ZKWHIRL_") {
            command.env_remove(name);
        }
    }
    command
}

/// A command about the keys of a data directory.
pub(crate) fn keys(command: &str, data: &Path) -> Command {
    let arguments: Vec<&str> = command.split(' ').collect();
    let mut keys = zkwhirl(&["keys"]);
    keys.args(arguments).arg("--data-dir").arg(data);
    keys
}

/// What a command prints, which must succeed.
#[track_caller]
pub(crate) fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// The same as JSON.
#[track_caller]
pub(crate) fn json(command: &mut Command) -> Value {
    serde_json::from_str(&said(command.arg("--json"))).unwrap()
}

/// A command that must fail with this code and these words.
#[track_caller]
pub(crate) fn refused(command: &mut Command, code: i32, words: &[&str]) {
    let Output { status, stderr, .. } = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(code), "{complaint}");
    for word in words {
        assert!(complaint.contains(word), "{complaint:?} lacks {word:?}");
    }
}

/// The folder with what the tests run in node.
pub(crate) fn node() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/node");
    said(&mut Command::new(script)).trim().into()
}
