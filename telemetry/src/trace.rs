//! The spans of a job, and the context that messages carry.
//!
//! A job has one trace, whose root span lasts from the bridge's taking the job to
//! the delivery of the answer; spans of other processes are its children. A
//! context is text in W3C's format, `00-<trace id>-<span id>-<flags>`. Only this
//! module uses the attributes, because OpenTelemetry's messaging conventions may
//! still change. Without the feature `otlp`, or without an exporter, no span is
//! recorded and no message carries a context.

use std::fmt::Display;

#[cfg(feature = "otlp")]
mod otlp;

/// The target of all spans, for filters.
pub const TARGET: &str = "zkwhirl::trace";
/// The name of the header or property that carries a context.
pub const HEADER: &str = "traceparent";

/// A span, which ends when this value is dropped.
#[derive(Debug)]
pub struct Trace {
    #[cfg(feature = "otlp")]
    span: tracing::Span,
}

impl Trace {
    /// Starts the root span of a job in the bridge.
    pub fn job(kind: &'static str, id: &impl Display) -> Self {
        #[cfg(not(feature = "otlp"))]
        let _ = (kind, id);
        Self {
            #[cfg(feature = "otlp")]
            span: otlp::job(kind, id),
        }
    }

    /// Starts a span for publishing a message to `exchange`.
    pub fn publish(exchange: &'static str, id: &impl Display, parent: Option<&str>) -> Self {
        Self::message("publish", exchange, id, parent)
    }

    /// Starts a span for handling a message of `queue`.
    pub fn process(queue: &'static str, id: &impl Display, parent: Option<&str>) -> Self {
        Self::message("process", queue, id, parent)
    }

    fn message(
        operation: &'static str,
        place: &'static str,
        id: &impl Display,
        parent: Option<&str>,
    ) -> Self {
        #[cfg(not(feature = "otlp"))]
        let _ = (operation, place, id, parent);
        Self {
            #[cfg(feature = "otlp")]
            span: otlp::message(operation, place, id, parent),
        }
    }

    /// The context for children of this span; `None` if no span is recorded.
    pub fn context(&self) -> Option<String> {
        #[cfg(feature = "otlp")]
        return otlp::context(&self.span);
        #[cfg(not(feature = "otlp"))]
        return None;
    }
}

/// True if a text, received from another process, is a valid context.
pub fn is_context(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let [version, trace, span, flags] = parts[..] else {
        return false;
    };
    let hex = |text: &str, length| {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == length && text.bytes().all(digit)
    };
    let named = |text: &str, length| hex(text, length) && text.bytes().any(|byte| byte != b'0');
    version == "00" && named(trace, 32) && named(span, 16) && hex(flags, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_w3cs_and_nothing_else_is() {
        let context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_context(context));
        assert!(!is_context(""));
        for (part, other) in [
            ("331-01", "331"),
            ("00-0a", "01-0a"),
            ("0af", "0AF"),
            (
                "0af7651916cd43dd8448eb211c80319c",
                "00000000000000000000000000000000",
            ),
            ("b7ad6b7169203331", "0000000000000000"),
            ("331-01", "331-01-1"),
        ] {
            let wrong = context.replace(part, other);
            assert!(!is_context(&wrong), "{wrong}");
        }
    }
}
