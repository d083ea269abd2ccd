//! Seals values with a digest, which is checked when they are read.
//!
//! `1 u8 ‖ length u64 ‖ SHA-256[32] ‖ value`. Redis stores any bytes; the checks find
//! a truncated or partial write, a wrong key, an operator's change and faulty memory.
//!
//! A request is `2 u8 ‖ command u32 ‖ length u32 ‖ zstd(data)`, and its job's id
//! is SHA-256 over command ‖ data: the id is the digest. Most of a request is Merkle
//! paths whose lower nodes are equal: a request of 28 real txs shrinks from 1,086,344
//! to 131,750 bytes. A release with other job ids writes the digest itself:
//! `3 u8 ‖ command u32 ‖ length u32 ‖ SHA-256(data)[32] ‖ zstd(data)`. This
//! release reads both.

use std::fmt::Display;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sha2::{Digest, Sha256};
use zkwhirl_job::{AttemptRecord, JobId, limits};

use crate::{LedgerError, StoredResult};

/// The reason why a stored value is damaged, for the operator. The ledger drops every
/// damaged value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damage(pub(super) String);

impl Damage {
    pub(super) fn of(why: impl Display) -> Self {
        Self(why.to_string())
    }
}

/// The error of a value that could not be sealed.
impl From<Damage> for LedgerError {
    fn from(Damage(why): Damage) -> Self {
        Self::Away(why)
    }
}

/// The length of the header before a sealed value, in bytes.
pub(super) const HEADER: usize = 41;
const VERSION: u8 = 1;
/// The longest stored name of a worker, in bytes.
const WORKER: usize = 256;
/// How many bytes of a child's standard error are stored per attempt: the last ones.
const STDERR: usize = 16 << 10;

/// The length of the header before a compressed request, in bytes.
const REQUEST_HEADER: usize = 9;
const REQUEST_VERSION: u8 = 2;
/// The version of the layout with a digest, which no release writes yet.
const DIGEST_VERSION: u8 = 3;
/// One of zstd's fast levels. On a real request level 1 saves 0.2 % more and takes 1.6
/// times as long; higher levels save 2 %.
const LEVEL: i32 = -3;
/// The longest sealed request in bytes: incompressible data grows a little.
pub(super) const REQUEST: usize =
    REQUEST_HEADER + limits::REQUEST_BYTES + limits::REQUEST_BYTES / 256 + 64;
pub(super) const RESULT: usize = HEADER + 46 + WORKER + limits::REPLY_BYTES;
/// The longest list of attempts in bytes: each has three texts and some numbers.
pub(super) const ATTEMPTS: usize =
    limits::ATTEMPT_RECORDS * (HEADER + STDERR + limits::ERROR_TEXT_BYTES + 2 * WORKER + 256);

pub(super) fn seal(value: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(HEADER + value.len());
    out.put_u8(VERSION);
    out.put_u64(value.len() as u64);
    out.put_slice(&Sha256::digest(value));
    out.put_slice(value);
    out.freeze()
}

/// Opens a sealed value, or returns what is wrong with it.
pub(super) fn open(sealed: Bytes) -> Result<Bytes, Damage> {
    has_header(&sealed, HEADER)?;
    let (mut header, value) = (sealed.slice(..HEADER), sealed.slice(HEADER..));
    let version = header.get_u8();
    if version != VERSION {
        let why = format!("version {version}, this release reads {VERSION}");
        return Err(Damage(why));
    }
    has_length(&value, header.get_u64())?;
    if header != Sha256::digest(&value).as_slice() {
        return Err(Damage::of("its bytes do not match their SHA-256"));
    }
    Ok(value)
}

fn has_header(sealed: &[u8], header: usize) -> Result<(), Damage> {
    let bytes = sealed.len();
    if bytes >= header {
        return Ok(());
    }
    let why = format!("{bytes} bytes, too few for its header of {header}");
    Err(Damage(why))
}

fn has_length(value: &[u8], says: u64) -> Result<(), Damage> {
    let bytes = value.len();
    if bytes as u64 == says {
        return Ok(());
    }
    Err(Damage(format!("{bytes} bytes, its header says {says}")))
}

pub(super) fn seal_request(command: u32, data: &[u8]) -> Result<Bytes, Damage> {
    let length = u32::try_from(data.len()).map_err(Damage::of)?;
    let packed = zstd::bulk::compress(data, LEVEL).map_err(Damage::of)?;
    let mut out = BytesMut::with_capacity(REQUEST_HEADER + packed.len());
    out.put_u8(REQUEST_VERSION);
    out.put_u32(command);
    out.put_u32(length);
    out.put_slice(&packed);
    Ok(out.freeze())
}

/// Opens the sealed request of `job`, or returns what is wrong with it.
pub(super) fn open_request(mut sealed: Bytes, job: JobId) -> Result<Bytes, Damage> {
    has_header(&sealed, REQUEST_HEADER)?;
    let version = sealed.get_u8();
    if !(REQUEST_VERSION..=DIGEST_VERSION).contains(&version) {
        let why =
            format!("version {version}, this release reads {REQUEST_VERSION} and {DIGEST_VERSION}");
        return Err(Damage(why));
    }
    let (command, length) = (sealed.get_u32(), sealed.get_u32() as usize);
    let limit = limits::REQUEST_BYTES;
    if length > limit {
        let why = format!("{length} bytes unpacked, the limit is {limit}");
        return Err(Damage(why));
    }
    let mut digest = [0; 32];
    if version == DIGEST_VERSION && sealed.try_copy_to_slice(&mut digest).is_err() {
        return Err(Damage::of("the value ends within its digest"));
    }
    // Never unpacks more than the length that was just bounded.
    let data = zstd::bulk::decompress(&sealed, length)
        .map_err(|error| Damage(format!("the value does not unpack: {error}")))?;
    has_length(&data, length as u64)?;
    let intact = match version {
        DIGEST_VERSION => digest == *Sha256::digest(&data),
        _ => JobId::of_code(command, &data) == job,
    };
    if !intact {
        return Err(Damage::of("the unpacked bytes do not match their digest"));
    }
    Ok(data.into())
}

pub(super) fn seal_result(result: &StoredResult) -> Bytes {
    let worker = cut(&result.worker, WORKER);
    let mut out = BytesMut::with_capacity(46 + worker.len() + result.reply.len());
    out.put_u32(result.attempt);
    out.put_u64(result.prove_ms);
    out.put_slice(&result.digest);
    out.put_u16(u16::try_from(worker.len()).unwrap_or(0));
    out.put_slice(worker.as_bytes());
    out.put_slice(&result.reply);
    seal(&out)
}

/// Opens a sealed result. The reply may still differ from the result's own digest.
pub(super) fn open_result(sealed: Bytes) -> Result<StoredResult, Damage> {
    let mut value = open(sealed)?;
    let short = |_| Damage::of("the result ends before its reply");
    let attempt = value.try_get_u32().map_err(short)?;
    let prove_ms = value.try_get_u64().map_err(short)?;
    let mut digest = [0; 32];
    value.try_copy_to_slice(&mut digest).map_err(short)?;
    let worker_bytes = usize::from(value.try_get_u16().map_err(short)?);
    if worker_bytes > value.len() {
        return Err(Damage::of("the result ends before its reply"));
    }
    let worker = String::from_utf8(value.split_to(worker_bytes).to_vec())
        .map_err(|_| Damage::of("the worker's name is no text"))?;
    Ok(StoredResult {
        reply: value,
        digest,
        attempt,
        worker,
        prove_ms,
    })
}

/// Seals an attempt, with its texts cut to their limits.
pub(super) fn seal_attempt(attempt: &AttemptRecord) -> Bytes {
    let mut kept = attempt.clone();
    kept.worker = cut(&kept.worker, WORKER).to_owned();
    kept.failure.reason = cut(&kept.failure.reason, limits::ERROR_TEXT_BYTES).to_owned();
    kept.exit = kept.exit.map(|exit| cut(&exit, WORKER).to_owned());
    // The end of standard error has the reason.
    let start = kept.stderr_tail.len().saturating_sub(STDERR);
    let start = kept.stderr_tail.ceil_char_boundary(start);
    kept.stderr_tail = kept.stderr_tail.split_off(start);
    let value = rmp_serde::to_vec_named(&kept).expect("plain data is written to memory");
    seal(&value)
}

pub(super) fn open_attempt(sealed: Bytes) -> Result<AttemptRecord, Damage> {
    rmp_serde::from_slice(&open(sealed)?).map_err(Damage::of)
}

/// Cuts a text to at most `limit` bytes.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use zkwhirl_job::Failure;

    use super::*;

    /// A sealed value opens; cut anywhere, or with one of its first `flips` bytes
    /// changed, it does not.
    #[track_caller]
    fn check(
        sealed: &Bytes,
        flips: usize,
        value: &[u8],
        open: impl Fn(Bytes) -> Result<Bytes, Damage>,
    ) {
        assert_eq!(open(sealed.clone()).unwrap(), value);
        for bytes in 0..sealed.len() {
            open(sealed.slice(..bytes)).unwrap_err();
        }
        for at in 0..flips {
            let mut bad = sealed.to_vec();
            bad[at] ^= 0x10;
            open(bad.into()).unwrap_err();
        }
    }

    #[test]
    fn what_is_sealed_opens_and_nothing_else() {
        let sealed = seal(b"value");
        check(&sealed, sealed.len(), b"value", open);
        let long = [&sealed[..], b"x"].concat();
        let why = open(long.into()).unwrap_err();
        assert_eq!(why.to_string(), "6 bytes, its header says 5");
    }

    #[test]
    fn a_request_opens_under_its_own_name_only() {
        let (command, data) = (4, b"request".as_slice());
        let job = JobId::of_code(command, data);
        let sealed = seal_request(command, data).unwrap();
        check(&sealed, REQUEST_HEADER, data, |sealed| {
            open_request(sealed, job)
        });
        open_request(sealed, JobId([7; 32])).unwrap_err();
    }

    /// A later release may name jobs by another hash.
    #[test]
    fn a_request_with_a_digest_opens_whatever_its_job_is_called() {
        let (job, data) = (JobId([7; 32]), b"request".as_slice());
        let packed = seal_request(4, data).unwrap();
        let mut sealed = packed[..REQUEST_HEADER].to_vec();
        sealed[0] = DIGEST_VERSION;
        sealed.extend(Sha256::digest(data));
        sealed.extend(&packed[REQUEST_HEADER..]);
        let sealed = Bytes::from(sealed);
        check(&sealed, 0, data, |sealed| open_request(sealed, job));
        let mut bad = sealed.to_vec();
        bad[REQUEST_HEADER] ^= 1;
        open_request(bad.into(), job).unwrap_err();
    }

    /// A value that unpacks to gigabytes is refused for its announced length, or is
    /// unpacked no further than that length.
    #[test]
    fn a_request_that_is_a_bomb_does_not_go_off() {
        let bomb = zstd::bulk::compress(&vec![0; 256 << 20], LEVEL).unwrap();
        assert!(bomb.len() < 64 << 10);
        for says in [0, 1, limits::REQUEST_BYTES as u32, 256 << 20, u32::MAX] {
            let mut sealed = vec![REQUEST_VERSION, 0, 0, 0, 4];
            sealed.extend(says.to_be_bytes());
            sealed.extend(&bomb);
            open_request(sealed.into(), JobId([7; 32])).unwrap_err();
        }
    }

    #[test]
    fn a_request_that_cannot_be_packed_fits() {
        let mut noise = vec![0; limits::REQUEST_BYTES];
        rand::Rng::fill(&mut rand::thread_rng(), &mut noise[..]);
        let sealed = seal_request(4, &noise).unwrap();
        assert!(sealed.len() <= REQUEST, "{}", sealed.len());
        let opened = open_request(sealed, JobId::of_code(4, &noise));
        assert_eq!(opened.unwrap(), noise);
    }

    #[test]
    fn a_real_request_of_28_txs_shrinks_to_an_eighth() {
        let path = "/../tests/vectors/valid_28x2_0_tx_rollup_request.bin";
        let request = std::fs::read(format!("{}{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let sealed = seal_request(4, &request).unwrap();
        assert!(sealed.len() * 8 < request.len(), "{}", sealed.len());
    }

    #[test]
    fn long_texts_are_cut_where_characters_end() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        let attempt = AttemptRecord {
            attempt: 1,
            worker: "w".repeat(9_999),
            failure: Failure::prover("x".repeat(99_999)),
            duration: Duration::from_secs(1),
            exit: Some("signal 9".repeat(999)),
            stderr_tail: "é".repeat(99_999) + "!",
            peak_rss_bytes: Some(u64::MAX),
        };
        let sealed = seal_attempt(&attempt);
        assert!(sealed.len() * limits::ATTEMPT_RECORDS <= ATTEMPTS);
        let kept = open_attempt(sealed).unwrap();
        assert!(kept.stderr_tail.ends_with("é!") && kept.stderr_tail.len() <= STDERR);
    }

    #[test]
    fn the_largest_result_fits() {
        let reply = vec![7; limits::REPLY_BYTES];
        let result = StoredResult::new(reply.into(), 1, "w".repeat(WORKER), 1);
        assert_eq!(seal_result(&result).len(), RESULT);
    }

    proptest! {
        #[test]
        fn results_come_back(
            reply: Vec<u8>, attempt: u32, worker in "\\PC{0,60}", prove_ms: u64,
        ) {
            let result = StoredResult::new(reply.into(), attempt, worker, prove_ms);
            prop_assert_eq!(open_result(seal_result(&result)).unwrap(), result);
        }

        #[test]
        fn any_bytes_are_refused_or_read(bytes: Vec<u8>) {
            let _ = open_result(seal(&bytes));
            let _ = open_attempt(seal(&bytes));
            prop_assert!(open(bytes.into()).is_err());
        }
    }
}
