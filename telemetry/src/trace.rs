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
        #[cfg(feature = "otlp")]
        return Self {
            span: otlp::job(kind, id),
        };
        #[cfg(not(feature = "otlp"))]
        return Self::nothing(kind, id, None);
    }

    /// A message is published to `exchange`.
    pub fn publish(exchange: &'static str, id: &impl Display, parent: Option<&str>) -> Self {
        #[cfg(feature = "otlp")]
        return Self {
            span: otlp::publish(exchange, id, parent),
        };
        #[cfg(not(feature = "otlp"))]
        return Self::nothing(exchange, id, parent);
    }

    /// A message of `queue` is dealt with.
    pub fn process(queue: &'static str, id: &impl Display, parent: Option<&str>) -> Self {
        #[cfg(feature = "otlp")]
        return Self {
            span: otlp::process(queue, id, parent),
        };
        #[cfg(not(feature = "otlp"))]
        return Self::nothing(queue, id, parent);
    }

    /// The context for what happens because of this span.
    pub fn context(&self) -> Option<String> {
        #[cfg(feature = "otlp")]
        return otlp::context(&self.span);
        #[cfg(not(feature = "otlp"))]
        return None;
    }

    #[cfg(not(feature = "otlp"))]
    fn nothing(_: &'static str, _: &impl Display, _: Option<&str>) -> Self {
        Self {}
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
        for wrong in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-1",
        ] {
            assert!(!is_context(wrong), "{wrong}");
        }
    }
}
