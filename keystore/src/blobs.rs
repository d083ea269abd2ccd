//! Small files in a directory: written atomically, named after their BLAKE3.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{CLIENT_VK_BYTES, KeyError};

/// The length limit of a blob in bytes. Verification keys are far smaller.
pub(crate) const BLOB_BYTES: usize = CLIENT_VK_BYTES;

/// A directory of verification keys, each named after its BLAKE3.
#[derive(Debug, Clone)]
pub(crate) struct Blobs(pub(crate) PathBuf);

impl Blobs {
    pub(crate) fn path(&self, digest: &str) -> PathBuf {
        self.0.join(format!("{digest}.vk"))
    }

    /// Stores `bytes` and returns their digest.
    pub(crate) fn put(&self, bytes: &[u8]) -> Result<String, KeyError> {
        let digest = digest(bytes);
        // A damaged file is replaced.
        if self.get(&digest).ok().flatten().is_none() {
            write_whole(&self.path(&digest), bytes)?;
        }
        Ok(digest)
    }

    /// The value with this digest, if the directory has the value.
    pub(crate) fn get(&self, digest: &str) -> Result<Option<Vec<u8>>, KeyError> {
        let path = self.path(digest);
        let Some(bytes) = read(&path)? else {
            return Ok(None);
        };
        match check(digest, &bytes) {
            Ok(()) => Ok(Some(bytes)),
            Err(problem) => Err(KeyError::damaged(&path, problem.to_string())),
        }
    }
}

/// The name of a verification key: its BLAKE3, hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Whether a text is a BLAKE3 in hexadecimal, and so cannot name another path.
pub(crate) fn is_digest(text: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.len() == 64 && text.chars().all(hex)
}

/// The bytes of a file do not match the digest in the file's name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobError {
    /// The file is longer than any verification key.
    #[error("it has more than {BLOB_BYTES} bytes")]
    TooLong,
    /// The bytes have changed.
    #[error("its BLAKE3 is {got}, its name says {named}")]
    Digest { got: String, named: String },
}

/// Checks that the digest of `bytes` is `named`.
pub(crate) fn check(named: &str, bytes: &[u8]) -> Result<(), BlobError> {
    if bytes.len() > BLOB_BYTES {
        return Err(BlobError::TooLong);
    }
    let got = digest(bytes);
    if got == named {
        return Ok(());
    }
    let named = named.to_owned();
    Err(BlobError::Digest { got, named })
}

/// Reads a small file; `None` if it does not exist. At most one byte more than
/// the limit of a blob is read, so that [`check`] sees a file that is too long.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, KeyError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        let mut file = file.take(BLOB_BYTES as u64 + 1);
        file.read_to_end(&mut bytes)
    });
    let found = found(read).map_err(KeyError::io("read", path))?;
    Ok(found.map(|_| bytes))
}

/// Turns the error "not found" into `None`.
pub(crate) fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Writes a file atomically, and creates its directory if necessary.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let part = part_of(path);
    let written = fs::create_dir_all(directory).and_then(|()| {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    });
    written.map_err(|error| {
        // A leftover part file does no harm: no lookup uses its name.
        let _ = fs::remove_file(&part);
        KeyError::io("write", path)(error)
    })
}

/// A path beside `path` that no other process uses at the same time, neither on
/// this machine nor on another machine that shares the directory.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let host = hostname();
    path.with_extension(format!("{host}-{}-{count}.part", process::id()))
}

/// The machine's name, for file names and messages.
pub(crate) fn hostname() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name
        .trim()
        .chars()
        .take(64)
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => c,
            _ => '_',
        })
        .collect();
    match name.is_empty() {
        true => "host".to_owned(),
        false => name,
    }
}
