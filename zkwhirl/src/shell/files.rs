//! Reading of files that the user names.

use std::{fs, path::Path};

use anyhow::{Context, ensure};

use crate::ui::grouped;

/// Reads a file of at most `limit` bytes. `what` names such files: `a request`.
pub(crate) fn read(file: &Path, what: &str, limit: usize) -> anyhow::Result<Vec<u8>> {
    let context = || format!("cannot read {}", file.display());
    let length = fs::metadata(file).with_context(context)?.len();
    ensure!(
        length <= limit as u64,
        "{} has {} bytes, {what} has at most {}",
        file.display(),
        grouped(length),
        grouped(limit as u64),
    );
    fs::read(file).with_context(context)
}
