use std::fmt::Display;

/// The error of bytes that are no reply of their kind, or of parts that make no reply.
/// The text says what is wrong and where; every caller refuses the reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReplyError(String);

impl ReplyError {
    pub(crate) fn new(why: impl Display) -> Self {
        Self(why.to_string())
    }
}
