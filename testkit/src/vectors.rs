//! The files in `tests/vectors`, recorded from Aztec Connect's code.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;

/// The folder of the recorded files.
pub fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

/// The path of a recorded file. A name without an extension is a `.bin` file's.
pub fn vector_path(name: &str) -> PathBuf {
    match name.contains('.') {
        true => vectors().join(name),
        false => vectors().join(format!("{name}.bin")),
    }
}

/// The bytes of a recorded file, by the name that [`vector_path`] takes.
#[track_caller]
pub fn vector(name: &str) -> Bytes {
    let path = vector_path(name);
    let read = fs::read(&path);
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .into()
}
