//! Tests of the prover's public API: a supervised child, the mock, whole rollups.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

#[cfg(feature = "test-util")]
mod child;
mod rollup;

/// A file of `tests/vectors`.
fn vector(name: &str) -> bytes::Bytes {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors");
    std::fs::read(format!("{folder}/{name}.bin"))
        .unwrap()
        .into()
}
