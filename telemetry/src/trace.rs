//! The spans of a job's life, and how their context travels.
//!
//! One trace per job: it begins where the bridge takes the job and ends where
//! the answer is delivered; what other processes do hangs below it. A context is
//! text in W3C's form, `00-<trace id>-<span id>-<flags>`. The attributes are
//! those of OpenTelemetry's conventions for messaging, which may still change:
//! nothing outside this module knows them. Without the feature `otlp`, or
//! without an exporter, nothing is measured and no context travels.

use std::fmt::Display;

#[cfg(feature = "otlp")]
mod otlp;

/// The target of all spans, for filters.
pub const TARGET: &str = "zkwhirl::trace";
/// The header, or property, that a context travels in.
pub const HEADER: &str = "traceparent";

/// A span; it ends when it is dropped.
#[derive(Debug)]
pub struct Trace {
    #[cfg(feature = "otlp")]
    span: tracing::Span,
}

impl Trace {
    /// The life of a job in the bridge.
    pub fn job(kind: &'static str, id: &impl Display) -> Self {
        #[cfg(not(feature = "otlp"))]
        let _ = (kind, id);
        Self {
            #[cfg(feature = "otlp")]
            span: otlp::job(kind, id),
        }
    }

    /// A message is published to `exchange`.
    pub fn publish(exchange: &'static str, id: &impl Display, parent: Option<&str>) -> Self {
        Self::message("publish", exchange, id, parent)
    }

    /// A message of `queue` is dealt with.
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

    /// The context for what happens because of this span.
    pub fn context(&self) -> Option<String> {
        #[cfg(feature = "otlp")]
        return otlp::context(&self.span);
        #[cfg(not(feature = "otlp"))]
        return None;
    }
}

/// Whether a text is a context: it comes from other processes.
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
