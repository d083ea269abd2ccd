//! The server: it answers one request after the other from standard input.

use std::io::{self, Read, Write};

use bytes::Bytes;
use zkwhirl_job::{Command, Failure, request::needed_bytes};

use super::{ACCOUNT_PROOF, ACCOUNT_VK, JOIN_SPLIT_VK, PING};

/// The prover that answers the requests of the protocol.
pub trait ProofService {
    /// Proves `request`, which includes the leading proof id, and returns a verified
    /// reply. After a failure the server sends length 0 and "not verified".
    fn prove(&mut self, request: Bytes) -> Result<Bytes, Failure>;

    /// The verification key that `command` requests; empty if the key is missing.
    fn verification_key(&mut self, command: Command) -> Bytes;
}

/// Serves requests until the input ends, and calls `on_failure` for each that
/// cannot be proved. An end of the input inside a request is an error.
///
/// An unknown code or a count above a limit is an error too, because the length of
/// such a request is unknown, and so is the begin of the next request.
pub fn serve(
    service: &mut dyn ProofService,
    mut input: impl Read,
    mut output: impl Write,
    on_failure: &mut dyn FnMut(&Failure),
) -> io::Result<()> {
    while let Some(code) = read_code(&mut input)? {
        match u32::from_be_bytes(code) {
            PING => output.write_all(&[1])?,
            JOIN_SPLIT_VK => {
                let key = service.verification_key(Command::GetJoinSplitVk);
                write_sized(&mut output, &key)?;
            }
            ACCOUNT_VK => {
                let key = service.verification_key(Command::GetAccountVk);
                write_sized(&mut output, &key)?;
            }
            kind @ 0..=ACCOUNT_PROOF => {
                let request = read_request(&mut input, code)?;
                let proved = match kind {
                    ACCOUNT_PROOF => Err(Failure::invalid(
                        "an account transaction is proved by its client, not by this prover",
                    )),
                    _ => service.prove(request),
                };
                let verified = u8::from(proved.is_ok());
                let reply = proved.unwrap_or_else(|failure| {
                    on_failure(&failure);
                    Bytes::new()
                });
                write_sized(&mut output, &reply)?;
                output.write_all(&[verified])?;
            }
            other => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!(
                        "unknown code {other}: 0 tx rollup, 1 root rollup, 2 claim, \
                         3 root verifier, 4 account, 100 join-split vk, 101 account vk, 666 ping"
                    ),
                ));
            }
        }
        output.flush()?;
    }
    Ok(())
}

/// Reads the next code; `None` at the end of the input.
fn read_code(input: &mut impl Read) -> io::Result<Option<[u8; 4]>> {
    let mut first = Vec::new();
    if input.by_ref().take(1).read_to_end(&mut first)? == 0 {
        return Ok(None);
    }
    let mut code = [first[0], 0, 0, 0];
    input.read_exact(&mut code[1..])?;
    Ok(Some(code))
}

fn read_request(input: &mut impl Read, code: [u8; 4]) -> io::Result<Bytes> {
    let mut request = code.to_vec();
    loop {
        let needed = needed_bytes(&request)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        if needed == request.len() {
            return Ok(request.into());
        }
        let have = request.len();
        request.resize(needed, 0);
        input.read_exact(&mut request[have..])?;
    }
}

fn write_sized(output: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    output.write_all(&length.to_be_bytes())?;
    output.write_all(bytes)
}

#[cfg(test)]
mod tests;
