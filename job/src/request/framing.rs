//! Finds a request's length from its first bytes: on `rollup_cli`'s standard input
//! requests follow each other without a length.

use super::too_long;
use crate::{LayoutError, limits};

/// A part of a layout with a fixed length, or a length that a count determines.
enum RequestPart {
    /// This many bytes.
    Fixed(usize),
    /// A count, then a number of bytes for each entry. Fields: bytes, limit of the count.
    List(usize, u32),
    /// A depth, then 64 bytes per level.
    Path,
    /// A length, then the bytes. Field: limit of the length.
    Buffer(u32),
    /// A count, then a part for each entry. Fields: limit of the count, part.
    Many(u32, &'static RequestPart),
}

use RequestPart::{Buffer, Fixed, List, Many, Path};

const DEPTH_LIMIT: u32 = 256;
const NULLIFIERS: u32 = 2 * limits::TXS + 1;
const REPLY: RequestPart = Buffer(limits::REPLY_BYTES as u32);
const INNER_PROOF: RequestPart = Buffer(limits::INNER_PROOF_BYTES);

const TX_ROLLUP: &[RequestPart] = &[
    Fixed(12),
    Many(limits::TXS, &INNER_PROOF),
    Fixed(64),
    Path,
    Many(limits::TXS, &Path),
    List(4, limits::TXS),
    Fixed(32),
    List(32, NULLIFIERS),
    Many(NULLIFIERS, &Path),
    Fixed(32),
    Many(limits::TXS, &Path),
    List(4, limits::TXS),
    Fixed(32),
    List(32, limits::BRIDGES),
    List(32, limits::ASSETS),
];
const ROOT_ROLLUP: &[RequestPart] = &[
    Fixed(8),
    Many(limits::INNERS, &INNER_PROOF),
    Fixed(64),
    Path,
    Fixed(64),
    Path,
    List(32, limits::BRIDGES),
    List(32, limits::ASSETS),
    List(133, limits::BRIDGES),
    Fixed(32),
];
const CLAIM: &[RequestPart] = &[Fixed(68), Path, Fixed(164 + 4), Path, Fixed(133 + 64)];
const ROOT_VERIFIER: &[RequestPart] = &[REPLY];
/// A client's account transaction, which is no job and which Falafel never sends:
/// five curve points, two words, two flags, an index, a data tree path, a signature.
const ACCOUNT: &[RequestPart] = &[Fixed(4 * 64 + 2 * 32 + 2 + 4), Path, Fixed(64 + 64)];

/// Returns the least number of bytes of a request that starts with `prefix`.
///
/// More than `prefix.len()`: read up to this number and call again. Equal: the request
/// is complete. Counts beyond the limits are errors, so that a caller never waits for,
/// or allocates, more than [`limits::REQUEST_BYTES`].
pub fn needed_bytes(prefix: &[u8]) -> Result<usize, LayoutError> {
    let mut scan = LengthScan { prefix, at: 0 };
    let walked = match scan.u32(4, "proof id") {
        Ok(0) => scan.walk(TX_ROLLUP),
        Ok(1) => scan.walk(ROOT_ROLLUP),
        Ok(2) => scan.walk(CLAIM),
        Ok(3) => scan.walk(ROOT_VERIFIER),
        Ok(_) => scan.walk(ACCOUNT),
        Err(stop) => Err(stop),
    };
    match walked {
        Ok(()) | Err(ScanEnd::Short) if scan.at <= limits::REQUEST_BYTES => Ok(scan.at),
        Ok(()) | Err(ScanEnd::Short) => Err(too_long(scan.at, scan.at)),
        Err(ScanEnd::Bad(error)) => Err(error),
    }
}

struct LengthScan<'a> {
    prefix: &'a [u8],
    /// How many bytes the parts have that were read so far.
    at: usize,
}

enum ScanEnd {
    /// The prefix ends before a count that is needed.
    Short,
    Bad(LayoutError),
}

impl LengthScan<'_> {
    fn u32(&mut self, limit: u32, name: &str) -> Result<u32, ScanEnd> {
        let start = self.at;
        self.at += 4;
        let bytes = self.prefix.get(start..).and_then(|rest| rest.first_chunk());
        let got = u32::from_be_bytes(*bytes.ok_or(ScanEnd::Short)?);
        if got <= limit {
            return Ok(got);
        }
        let (name, must) = (format_args!("{name}"), format_args!("at most {limit}"));
        Err(ScanEnd::Bad(LayoutError::value(
            start,
            name,
            got.into(),
            must,
        )))
    }

    fn walk(&mut self, parts: &[RequestPart]) -> Result<(), ScanEnd> {
        for part in parts {
            self.at += match *part {
                Fixed(bytes) => bytes,
                List(each, limit) => each * self.u32(limit, "a list's count")? as usize,
                Buffer(limit) => self.u32(limit, "a buffer's length")? as usize,
                Path => 64 * self.u32(DEPTH_LIMIT, "a path's depth")? as usize,
                Many(limit, part) => {
                    for _ in 0..self.u32(limit, "a list's count")? {
                        self.walk(std::slice::from_ref(part))?;
                    }
                    0
                }
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_beyond_the_limits_are_refused_before_anything_is_read() {
        let mut request = vec![0; 16];
        request.extend(u32::MAX.to_be_bytes());
        let error = needed_bytes(&request).unwrap_err();
        let why = "a list's count is 4294967295, must be at most 64 (byte 16)";
        assert_eq!(error.to_string(), why);
        assert!(needed_bytes(&9u32.to_be_bytes()).is_err());
    }
}
