//! Decides which frames become jobs for a prover.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use zkwhirl_job::{Command, Frame, LayoutError, Request, Sizes, limits};
use zkwhirl_ledger::JobRecord;

/// How many bytes of a too long request are kept.
const BEGINNING: usize = 4 << 10;

/// Why a request can never be proved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inadmissible {
    /// The request is longer than the limit.
    #[error(
        "its request has more than {} bytes, the limit; the first {BEGINNING} and a digest are kept",
        limits::REQUEST_BYTES
    )]
    TooLong,
    /// A field breaks the layout, or does not fit this bridge's sizes.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A verification key job has data.
    #[error("the data of a verification key job has {bytes} bytes, must have none")]
    VkData {
        /// The length of the data in bytes.
        bytes: usize,
    },
    /// The command makes no job.
    #[error(
        "command is {command}, must be 2 (get join-split vk), 3 (get account vk) or 4 (create proof)"
    )]
    Command {
        /// The command's code.
        command: u32,
    },
}

/// Makes the record of a frame's job. If the data are too long for a request, replaces
/// them in the frame by their beginning and the SHA-256 of all bytes that were read; the
/// job's id is computed from these.
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

/// Parses a job's request. `Err`: why the request can never be proved. `None`: a
/// verification key job, whose request is empty.
pub(super) fn admit(
    job: &JobRecord,
    data: &Bytes,
    sizes: Sizes,
) -> Result<Option<Request>, Inadmissible> {
    if job.request_bytes > limits::REQUEST_BYTES {
        return Err(Inadmissible::TooLong);
    }
    admissible(job.command, data, sizes)
}

fn admissible(command: u32, data: &Bytes, sizes: Sizes) -> Result<Option<Request>, Inadmissible> {
    match Command::from_code(command) {
        Some(Command::CreateProof) => {
            let request = Request::parse(data)?;
            request.validate(sizes)?;
            Ok(Some(request))
        }
        Some(Command::GetJoinSplitVk | Command::GetAccountVk) if data.is_empty() => Ok(None),
        Some(Command::GetJoinSplitVk | Command::GetAccountVk) => {
            let bytes = data.len();
            Err(Inadmissible::VkData { bytes })
        }
        _ => Err(Inadmissible::Command { command }),
    }
}

#[cfg(test)]
mod tests {
    use zkwhirl_job::malformed::malformed_cases;

    use super::*;

    /// Each field of each kind, wrong in each way: refused with the text that
    /// names the field, before any prover sees it.
    #[test]
    fn every_malformed_request_is_refused_by_name() {
        let cases = malformed_cases(&zkwhirl_testkit::vector);
        assert!(cases.len() > 100, "{} cases", cases.len());
        for case in cases {
            let sizes = case.sizes.unwrap_or(Sizes::new(28, 32).unwrap());
            let command = Command::CreateProof.code();
            let refused = admissible(command, &case.request, sizes).unwrap_err();
            assert_eq!(refused.to_string(), case.error, "{}", case.name);
        }
    }
}
