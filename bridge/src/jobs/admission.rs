//! Requests: which are provable in principle, and which are there at all.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use zkwhirl_job::{Command, Frame, Request, Sizes, envelope::Payload, limits};

use super::shared::Shared;
use zkwhirl_ledger::JobRecord;

/// Bytes that are kept of a request that is too long to be one.
const BEGINNING: usize = 4 << 10;

/// The record of a frame's job. Of data that are too long for a request the
/// frame keeps the beginning and the SHA-256 of all that was read of them; the
/// job is named after these.
pub(super) fn record(frame: &mut Frame) -> JobRecord {
    let request_bytes = frame.data.len();
    if request_bytes > limits::REQUEST_BYTES {
        let digest = Sha256::digest(&frame.data);
        let beginning = &frame.data[..BEGINNING];
        frame.data = [beginning, digest.as_slice()].concat().into();
    }
    JobRecord {
        request_bytes,
        ..JobRecord::of_frame(frame)
    }
}

/// What a job's request is: provable in principle, or why it can never be.
pub(super) fn admit(
    job: &JobRecord,
    data: &Bytes,
    sizes: Sizes,
) -> Result<Option<Request>, String> {
    if job.request_bytes > limits::REQUEST_BYTES {
        return Err(format!(
            "its request has more than {} bytes, the limit; the first {BEGINNING} and a digest \
             are kept",
            limits::REQUEST_BYTES
        ));
    }
    admissible(job.command, data, sizes)
}

fn admissible(command: u32, data: &Bytes, sizes: Sizes) -> Result<Option<Request>, String> {
    match Command::from_code(command) {
        Some(Command::CreateProof) => {
            let request = Request::parse(data).map_err(|error| error.to_string())?;
            request.validate(sizes).map_err(|error| error.to_string())?;
            Ok(Some(request))
        }
        Some(Command::GetJoinSplitVk | Command::GetAccountVk) if data.is_empty() => Ok(None),
        Some(Command::GetJoinSplitVk | Command::GetAccountVk) => Err(format!(
            "the data of a verification key job has {} bytes, must have none",
            data.len()
        )),
        _ => Err(format!(
            "command is {command}, must be 2 (get join-split vk), 3 (get account vk) or 4 (create proof)"
        )),
    }
}

impl Shared {
    /// The request of a job. The inner `None`: it is gone, and its job with it.
    /// The tickets that wait are let go and come again with their bytes.
    pub(super) async fn request(&self, job: &JobRecord) -> Option<Option<Bytes>> {
        let ledger = &self.deps.ledger;
        let request = self.insist("read a request", || ledger.request(job.id));
        let request = request.await?;
        if request.is_none() {
            tracing::warn!(job = %job.id, "its request is gone: its tickets come again");
            self.compare.notify_one();
        }
        Some(request)
    }

    /// A request as it travels: in the message, or beside it.
    pub(super) fn payload(&self, request: Bytes) -> Payload {
        if request.len() <= self.config.inline_bytes {
            return Payload::Inline(request);
        }
        Payload::Stored {
            bytes: request.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use zkwhirl_job::malformed::malformed_cases;

    use super::*;

    fn vector(file: &str) -> Bytes {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/");
        std::fs::read(format!("{root}{file}")).unwrap().into()
    }

    /// Each field of each kind, wrong in each way: refused with the text that
    /// names the field, before any prover sees it.
    #[test]
    fn every_malformed_request_is_refused_by_name() {
        let cases = malformed_cases(&vector);
        assert!(cases.len() > 100, "{} cases", cases.len());
        for case in cases {
            let sizes = case.sizes.unwrap_or(Sizes::new(28, 32).unwrap());
            let command = Command::CreateProof.code();
            let refused = admissible(command, &case.request, sizes).unwrap_err();
            assert_eq!(refused, case.error, "{}", case.name);
        }
    }
}
