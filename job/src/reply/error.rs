use std::fmt::Display;

/// Bytes that are no reply of their kind, or parts that make none. The text says
/// what is wrong and where; every caller refuses the reply, whatever it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReplyError(String);

impl ReplyError {
    pub(crate) fn new(why: impl Display) -> Self {
        Self(why.to_string())
    }
}
