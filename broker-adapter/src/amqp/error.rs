//! Waits for RabbitMQ's answers, and adds to its errors what to do about them.

use std::{future::poll_fn, pin::Pin};

use futures_core::Stream;
use lapin::ErrorKind;
use tokio::time::timeout;

use super::config::AmqpConfig;
use crate::BrokerError;

impl AmqpConfig {
    /// Waits for one answer of the broker, for at most `call_timeout`. Every call goes
    /// through here: a lost answer must not stop its caller for ever.
    pub(super) async fn call<T>(
        &self,
        what: &str,
        answer: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, BrokerError> {
        let limit = self.call_timeout;
        match timeout(limit, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(away(what, &error)),
            Err(_) => {
                let why = format!("{what}: no answer within {limit:?}");
                Err(BrokerError::Away(why))
            }
        }
    }

    /// Waits like [`AmqpConfig::call`], and logs an error that changes nothing.
    pub(super) async fn call_or_log<T>(
        &self,
        what: &str,
        answer: impl Future<Output = lapin::Result<T>>,
    ) {
        if let Err(error) = self.call(what, answer).await {
            tracing::debug!("a call to RabbitMQ failed, without consequence: {error}");
        }
    }
}

/// Waits for the next item; `None` at the stream's end. Cancel safe.
pub(super) async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}

/// The error of a consumer that gives no more messages.
pub(super) fn consumer_ended<T>(what: &str, ended: Option<lapin::Result<T>>) -> BrokerError {
    match ended {
        Some(Err(error)) => away(what, &error),
        _ => {
            let why = "the broker cancelled the consumer: check that the queue exists";
            BrokerError::Away(why.into())
        }
    }
}

/// The error of a call after the runtime of AMQP has ended.
pub(super) fn shuts_down() -> BrokerError {
    BrokerError::Away("this process shuts down".into())
}

/// The error of the call `what`, with what to do about the error.
pub(super) fn away(what: &str, error: &lapin::Error) -> BrokerError {
    BrokerError::Away(format!("{what}: {}", explain(error)))
}

/// The AMQP code of the broker's error, such as 404.
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
        ErrorKind::MissingHeartbeatError => return "the broker's heartbeats are missing".into(),
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
        Some(406) => "; it has other arguments: drain it, delete it, run `zkwhirl provision`",
        Some(530) => "; the vhost is missing: run `zkwhirl provision`",
        _ => "",
    };
    format!("{said}{advice}")
}
