//! Reading the test vectors.

use bytes::Bytes;

/// The bytes of a vector file.
pub(crate) fn vector(file: &str) -> Bytes {
    let path = format!("{}/../tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path)
        .unwrap_or_else(|e| panic!("{path}: {e}"))
        .into()
}
