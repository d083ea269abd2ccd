//! How long a request is, from its first bytes: `rollup_cli`'s standard input
//! carries requests one after the other without a length.

use crate::{LayoutError, limits, wire::value};

/// A piece of a layout whose length is fixed or follows from a count.
enum Part {
    /// So many bytes.
    Fixed(usize),
    /// A count, then so many bytes for each; the count's limit.
    List(usize, u32),
    /// A count, then for each a length and so many bytes; both limits.
    Buffers(u32, u32),
    /// A count, then for each a depth and 64 bytes a level; the count's limit.
    Paths(u32),
    /// A depth and 64 bytes a level.
    Path,
    /// A length and so many bytes; the limit.
    Buffer(u32),
}

use Part::{Buffer, Buffers, Fixed, List, Path, Paths};

const DEPTH_LIMIT: u32 = 256;
const NULLIFIERS: u32 = 2 * limits::TXS + 1;
const REPLY_LIMIT: u32 = limits::REPLY_BYTES as u32;

const TX_ROLLUP: &[Part] = &[
    Fixed(12),
    Buffers(limits::TXS, limits::INNER_PROOF_BYTES),
    Fixed(64),
    Path,
    Paths(limits::TXS),
    List(4, limits::TXS),
    Fixed(32),
    List(32, NULLIFIERS),
    Paths(NULLIFIERS),
    Fixed(32),
    Paths(limits::TXS),
    List(4, limits::TXS),
    Fixed(32),
    List(32, limits::BRIDGES),
    List(32, limits::ASSETS),
];
const ROOT_ROLLUP: &[Part] = &[
    Fixed(8),
    Buffers(limits::INNERS, limits::INNER_PROOF_BYTES),
    Fixed(64),
    Path,
    Fixed(64),
    Path,
    List(32, limits::BRIDGES),
    List(32, limits::ASSETS),
    List(133, limits::BRIDGES),
    Fixed(32),
];
const CLAIM: &[Part] = &[Fixed(68), Path, Fixed(164 + 4), Path, Fixed(133 + 64)];
const ROOT_VERIFIER: &[Part] = &[Buffer(REPLY_LIMIT)];
/// A client's account transaction, which Falafel never sends and no job is:
/// five curve points, two words, two flags, an index, a data tree path, a
/// signature.
const ACCOUNT: &[Part] = &[Fixed(4 * 64 + 2 * 32 + 2 + 4), Path, Fixed(64 + 64)];

/// The bytes that a request starting with `prefix` certainly has.
///
/// More than `prefix.len()`: read that many and ask again. Equal: the request
/// is complete. Counts beyond the limits are errors, so that a caller never
/// waits for, or allocates, more than [`limits::REQUEST_BYTES`].
pub fn needed_bytes(prefix: &[u8]) -> Result<usize, LayoutError> {
    let mut scan = Scan { prefix, at: 0 };
    let walked = match scan.u32(4, "proof id") {
        Ok(0) => scan.walk(TX_ROLLUP),
        Ok(1) => scan.walk(ROOT_ROLLUP),
        Ok(2) => scan.walk(CLAIM),
        Ok(3) => scan.walk(ROOT_VERIFIER),
        Ok(_) => scan.walk(ACCOUNT),
        Err(stop) => Err(stop),
    };
    match walked {
        Ok(()) | Err(Stop::Short) if scan.at <= limits::REQUEST_BYTES => Ok(scan.at),
        Ok(()) | Err(Stop::Short) => Err(value(
            scan.at,
            format_args!("the request's length"),
            scan.at as u64,
            format_args!("at most {} bytes", limits::REQUEST_BYTES),
        )),
        Err(Stop::Bad(error)) => Err(error),
    }
}

struct Scan<'a> {
    prefix: &'a [u8],
    /// Bytes that the request has, as far as it was walked.
    at: usize,
}

enum Stop {
    /// The prefix ends before a count that is needed.
    Short,
    Bad(LayoutError),
}

impl Scan<'_> {
    fn u32(&mut self, limit: u32, name: &str) -> Result<u32, Stop> {
        let start = self.at;
        self.at += 4;
        let bytes = self.prefix.get(start..self.at).ok_or(Stop::Short)?;
        let got = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        if got <= limit {
            return Ok(got);
        }
        Err(Stop::Bad(value(
            start,
            format_args!("{name}"),
            u64::from(got),
            format_args!("at most {limit}"),
        )))
    }

    fn buffer(&mut self, limit: u32, each: usize, name: &str) -> Result<(), Stop> {
        self.at += self.u32(limit, name)? as usize * each;
        Ok(())
    }

    fn walk(&mut self, parts: &[Part]) -> Result<(), Stop> {
        for part in parts {
            match *part {
                Fixed(bytes) => self.at += bytes,
                List(each, limit) => self.buffer(limit, each, "a list's count")?,
                Buffer(limit) => self.buffer(limit, 1, "a buffer's length")?,
                Path => self.buffer(DEPTH_LIMIT, 64, "a path's depth")?,
                Buffers(count, limit) => {
                    for _ in 0..self.u32(count, "a list's count")? {
                        self.buffer(limit, 1, "a buffer's length")?;
                    }
                }
                Paths(count) => {
                    for _ in 0..self.u32(count, "a list's count")? {
                        self.buffer(DEPTH_LIMIT, 64, "a path's depth")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a request as it would arrive: only ever as many bytes as asked for.
    #[track_caller]
    fn check(name: &str) {
        let request = zkwhirl_testkit::vector(name);
        let mut have = 0;
        loop {
            let needed = needed_bytes(&request[..have]).unwrap();
            assert!(needed <= request.len(), "asked for more than there is");
            if needed == have {
                break;
            }
            have = needed;
        }
        assert_eq!(have, request.len());
    }

    #[test]
    fn a_request_tells_its_own_length() {
        for name in [
            "claim_0",
            "tx_rollup_1tx",
            "tx_rollup_28tx_maxbridges",
            "root_rollup_1inner_1x1",
            "root_rollup_32inner",
            "root_verifier_28x32",
            "valid_2x2_1_tx_rollup_request",
        ] {
            check(name);
        }
    }

    #[test]
    fn counts_beyond_the_limits_are_refused_before_anything_is_read() {
        let mut request = vec![0; 16];
        request.extend(u32::MAX.to_be_bytes());
        let error = needed_bytes(&request).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a list's count is 4294967295, must be at most 64 (byte 16)"
        );
        assert!(needed_bytes(&9u32.to_be_bytes()).is_err());
    }
}
