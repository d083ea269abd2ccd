//! The reference string that `rollup_cli` reads: `transcriptNN.dat` files, each
//! a manifest of seven big-endian words followed by points of 64 bytes.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::{anyhow, bail};

const MANIFEST_BYTES: usize = 28;
const POINT_BYTES: u64 = 64;
/// Number of points in a full transcript.
const TRANSCRIPT_POINTS: u64 = 5_040_000;
/// The server from which Aztec Connect's code downloads transcripts.
const SOURCE: &str = "https://aztec-ignition.s3-eu-west-2.amazonaws.com/MAIN%20IGNITION/sealed";

/// Checks that a directory holds enough points for a circuit of `size` rows.
///
/// The check downloads nothing: a prover must start without a server, and
/// no digests are published to check a download with. A partial transcript
/// suffices if it is long enough.
pub(super) fn check(directory: &Path, size: u64) -> anyhow::Result<()> {
    let mut points = 0;
    for number in 0..=u8::MAX {
        let name = format!("transcript{number:02}.dat");
        let path = directory.join(&name);
        points += points_of(&path).map_err(|error| {
            anyhow!(
                "MAX_CIRCUIT_SIZE={size} needs {size} points of the reference string, {0} has \
                 {points} ({name}: {error}); fetch it: mkdir -p {0} && curl -fo {0}/{name} {SOURCE}/{name}",
                directory.display(),
            )
        })?;
        if points >= size {
            return Ok(());
        }
        if points % TRANSCRIPT_POINTS != 0 {
            bail!(
                "MAX_CIRCUIT_SIZE={size} needs {size} points of the reference string, {} ends after \
                 {points}: fetch the whole file from {SOURCE}/{name}",
                path.display()
            );
        }
    }
    Ok(())
}

/// The number of points in a transcript: the smaller of the manifest's number
/// and the number of points that the file's length allows.
fn points_of(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut manifest = [0; MANIFEST_BYTES];
    file.read_exact(&mut manifest)?;
    let promised = u32::from_be_bytes([manifest[16], manifest[17], manifest[18], manifest[19]]);
    let bytes = file.metadata()?.len() - MANIFEST_BYTES as u64;
    Ok(u64::from(promised).min(bytes / POINT_BYTES))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Writes a transcript of `there` zero points.
    fn transcript(directory: &Path, number: usize, promised: u32, there: u64) {
        let path = directory.join(format!("transcript{number:02}.dat"));
        let mut file = File::create(path).unwrap();
        for word in [number as u32, 7, 35_000_000, 1, promised, 1, 0] {
            file.write_all(&word.to_be_bytes()).unwrap();
        }
        let length = MANIFEST_BYTES as u64 + POINT_BYTES * there;
        file.set_len(length).unwrap();
    }

    #[test]
    fn a_reference_string_that_is_too_short_says_where_the_rest_is() {
        let directory = tempfile::tempdir().unwrap();
        let check = |size| check(directory.path(), size);
        let lacks = |size, words| {
            let error = check(size).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        lacks(8, "transcript00.dat: No such file");
        lacks(8, "curl -fo");
        transcript(directory.path(), 0, 5_040_000, 100);
        check(64).unwrap();
        lacks(128, "ends after 100");
        transcript(directory.path(), 0, 5_040_000, 5_040_000);
        lacks(1 << 23, "transcript01.dat");
        transcript(directory.path(), 1, 5_040_000, 5_040_000);
        check(1 << 23).unwrap();
    }
}
