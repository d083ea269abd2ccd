//! Falafel's job frame: `id[32] ‖ command u32 ‖ data`, delimited by the HTTP
//! body's length.

use bytes::Bytes;

use crate::{TicketId, limits};

/// The bytes before a frame's data: 32 of id, 4 of command.
pub const HEADER_BYTES: usize = 36;

/// One body of `/get-job` or `/job-complete`.
///
/// The command stays a number: a frame with an unknown command is still a ticket that
/// must be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The ticket: the id that Falafel gave the frame.
    pub ticket: TicketId,
    /// The command's code; see [`crate::Command`].
    pub command: u32,
    /// The bytes after the header.
    pub data: Bytes,
}

/// A body that is no frame; each variant has its length in bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The body is shorter than the header.
    #[error("a frame of {0} bytes has no complete header ({HEADER_BYTES} bytes)")]
    Short(usize),
    /// The body is longer than a frame with the longest request or reply.
    #[error("a frame of {0} bytes exceeds the limit of {limit}", limit = Frame::LIMIT)]
    Long(usize),
}

impl Frame {
    /// The longest body that is read as a frame, in bytes.
    pub const LIMIT: usize = HEADER_BYTES + limits::REQUEST_BYTES;

    /// Reads a body. The frame's data is a slice of the body: no bytes are copied.
    pub fn parse(body: &Bytes) -> Result<Self, FrameError> {
        if body.len() > Self::LIMIT {
            return Err(FrameError::Long(body.len()));
        }
        Self::split(body)
    }

    /// Reads a body of any length, for callers that bound what they read and need the
    /// ticket of every body.
    pub fn split(body: &Bytes) -> Result<Self, FrameError> {
        let short = || FrameError::Short(body.len());
        let (id, rest) = body.split_first_chunk().ok_or_else(short)?;
        let command = rest.first_chunk().ok_or_else(short)?;
        Ok(Self {
            ticket: TicketId(*id),
            command: u32::from_be_bytes(*command),
            data: body.slice(HEADER_BYTES..),
        })
    }

    /// Encodes the frame.
    pub fn to_bytes(&self) -> Bytes {
        self.to_pieces().concat().into()
    }

    /// Encodes the frame in two pieces, the header and the data, without a copy of the
    /// data.
    pub fn to_pieces(&self) -> [Bytes; 2] {
        let command = self.command.to_be_bytes();
        let header = [&self.ticket.0[..], &command].concat();
        [header.into(), self.data.clone()]
    }
}
