//! Errors of RabbitMQ, with what to do about them.

use std::{future::Future, time::Duration};

use lapin::ErrorKind;
use tokio::time::timeout;

use crate::BrokerError;

/// Waits for one answer of the broker. Every call to it goes through here: a
/// lost answer must not stop its caller for ever.
pub(super) async fn call<T>(
    what: &str,
    limit: Duration,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BrokerError> {
    match timeout(limit, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(away(what, &error)),
        Err(_) => Err(BrokerError::Away(format!(
            "{what}: no answer within {limit:?}"
        ))),
    }
}

/// The error of a call, with what to do about it.
pub(super) fn away(what: &str, error: &lapin::Error) -> BrokerError {
    BrokerError::Away(format!("{what}: {}", explain(error)))
}

/// The code of the broker's answer, such as 404.
pub(super) fn code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.get_id()),
        _ => None,
    }
}

fn explain(error: &lapin::Error) -> String {
    let said = match error.kind() {
        ErrorKind::ProtocolError(error) => error.get_message().to_string(),
        ErrorKind::IOError(error) => return error.to_string(),
        ErrorKind::MissingHeartbeatError => return "the broker fell silent".into(),
        ErrorKind::InvalidChannelState(..) | ErrorKind::InvalidConnectionState(_) => {
            return "the connection was lost".into();
        }
        _ => return error.to_string(),
    };
    let advice = match code(error) {
        Some(403) if said.contains("refused for user") => {
            "; the role's permissions are wrong: run `zkwhirl provision`"
        }
        Some(403) => "; the user or the password is wrong",
        Some(404) => "; run `zkwhirl provision`",
        Some(406) => "; it was declared otherwise: drain it, delete it, run `zkwhirl provision`",
        Some(530) => "; the vhost is missing: run `zkwhirl provision`",
        _ => "",
    };
    format!("{said}{advice}")
}
