//! Spans of `tracing`, which a subscriber exports to OpenTelemetry.

use std::fmt::Display;

use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::is_context;

pub(super) fn job(kind: &'static str, id: &impl Display) -> Span {
    info_span!(
        target: "zkwhirl::trace",
        parent: None,
        "job",
        otel.name = format!("job {kind}"),
        otel.kind = "server",
        zkwhirl.job = %id,
    )
}

/// `operation`: `publish` or `process`. `place`: the exchange, or the queue.
pub(super) fn message(
    operation: &'static str,
    place: &'static str,
    id: &impl Display,
    parent: Option<&str>,
) -> Span {
    let kind = match operation {
        "publish" => "producer",
        _ => "consumer",
    };
    let span = info_span!(
        target: "zkwhirl::trace",
        parent: None,
        "message",
        otel.name = format!("{operation} {place}"),
        otel.kind = kind,
        messaging.system = "rabbitmq",
        messaging.operation.type = operation,
        messaging.destination.name = place,
        zkwhirl.job = %id,
    );
    under(span, parent)
}

/// Makes a span a child of the span in a context, if the context is valid.
fn under(span: Span, parent: Option<&str>) -> Span {
    if let Some(parent) = parent.filter(|text| is_context(text)).and_then(read) {
        // Fails if no subscriber records the span, which then needs no parent.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
    span
}

fn read(text: &str) -> Option<SpanContext> {
    let trace = TraceId::from_hex(&text[3..35]).ok()?;
    let span = SpanId::from_hex(&text[36..52]).ok()?;
    let flags = u8::from_str_radix(&text[53..], 16).ok()?;
    let (flags, state) = (TraceFlags::new(flags), TraceState::default());
    Some(SpanContext::new(trace, span, flags, true, state))
}

pub(super) fn context(span: &Span) -> Option<String> {
    let context = span.context();
    let own = context.span().span_context().clone();
    own.is_valid().then(|| {
        let (trace, span, flags) = (own.trace_id(), own.span_id(), own.trace_flags());
        format!("00-{trace}-{span}-{flags:02x}")
    })
}
