//! The common types of zkWhirl: jobs, topics, Falafel's frames, requests and replies,
//! and the broker envelope.
//!
//! **Invariant:** this crate does no I/O. It has no sockets, no async runtime and no
//! field arithmetic, and only [`clock`] reads the time; every parser of this crate
//! checks a length or a count against a limit of [`limits`] before it allocates.

pub mod clock;
mod command;
pub mod envelope;
mod failure;
mod frame;
mod id;
mod kind;
pub mod limits;
#[cfg(feature = "test-util")]
pub mod malformed;
mod named;
pub mod reply;
pub mod request;
mod sizes;
mod wire;
mod word;

pub use command::Command;
pub use failure::{AttemptRecord, Failure, FailureClass};
pub use frame::{Frame, FrameError, HEADER_BYTES};
pub use id::{IdError, JobId, TicketId};
pub use kind::{Kind, Topic};
pub use named::NameError;
pub use request::{Request, identify};
pub use sizes::{Sizes, SizesError};
pub use wire::LayoutError;
pub use word::Word;
