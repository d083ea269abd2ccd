//! Logs on standard error, as lines for people or one JSON object per line;
//! and traces, exported to an OpenTelemetry collector.

use std::{io, str::FromStr};

use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};
use zkwhirl_telemetry::trace::TARGET;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// For machines: ids and figures as fields of one object.
    Json,
}

/// Log targets that are off by default. lapin logs every lost connection as an
/// error, although zkWhirl restores the connection and logs the loss itself.
/// Spans belong to traces, not to log lines.
const SILENT: [&str; 2] = ["lapin", TARGET];

/// The log target of operators' actions.
const AUDIT: &str = "audit=info";

/// Guard of the program's telemetry. Dropping it exports the remaining spans.
#[derive(Debug)]
pub(crate) struct Telemetry {
    #[cfg(feature = "otlp")]
    _traces: Option<traces::Exporter>,
}

/// Starts logging at `level`, which may also be a filter in tracing's syntax.
pub(crate) fn start(level: &str, format: Format) -> anyhow::Result<Telemetry> {
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let lines = match format {
        Format::Human => lines.boxed(),
        Format::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
    };
    let registry = Registry::default().with(lines.with_filter(filter(level)?));
    #[cfg(feature = "otlp")]
    {
        let exporter = traces::Exporter::from_environment()?;
        registry
            .with(exporter.as_ref().map(traces::Exporter::layer))
            .init();
        Ok(Telemetry { _traces: exporter })
    }
    #[cfg(not(feature = "otlp"))]
    {
        registry.init();
        Ok(Telemetry {})
    }
}

/// The filter for a level or a list of directives. A directive for a silent
/// target enables it.
fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    let mut filter = EnvFilter::try_new(level)
        .map_err(|error| anyhow::anyhow!("ZKWHIRL_LOG={level} is no log filter: {error}"))?;
    for name in SILENT.iter().filter(|name| !level.contains(**name)) {
        let off = tracing_subscriber::filter::Directive::from_str(&format!("{name}=off"))?;
        filter = filter.add_directive(off);
    }
    // Operators' actions are logged at every level.
    Ok(filter.add_directive(AUDIT.parse()?))
}

#[cfg(feature = "otlp")]
mod traces {
    use std::env;

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::SpanExporter;
    use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
    use tracing::Subscriber;
    use tracing_subscriber::{
        Layer,
        filter::{LevelFilter, Targets},
        registry::LookupSpan,
    };
    use zkwhirl_telemetry::trace::TARGET;

    /// Exports spans to a collector over HTTP.
    #[derive(Debug)]
    pub(super) struct Exporter(SdkTracerProvider);

    impl Exporter {
        /// Creates an exporter to the collector that OpenTelemetry's environment
        /// variables name; `None` if neither variable is set.
        pub(super) fn from_environment() -> anyhow::Result<Option<Self>> {
            let set = |name| env::var_os(name).is_some();
            if !set("OTEL_EXPORTER_OTLP_ENDPOINT") && !set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
                return Ok(None);
            }
            let exporter = SpanExporter::builder().with_http().build()?;
            let name = env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| "zkwhirl".to_owned());
            let resource = Resource::builder().with_service_name(name).build();
            let provider = SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_resource(resource)
                .build();
            Ok(Some(Self(provider)))
        }

        /// The layer that spans pass through.
        pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
        where
            S: Subscriber + for<'a> LookupSpan<'a>,
        {
            let tracer = self.0.tracer("zkwhirl");
            let only = Targets::new().with_target(TARGET, LevelFilter::INFO);
            tracing_opentelemetry::layer()
                .with_tracer(tracer)
                .with_filter(only)
        }
    }

    impl Drop for Exporter {
        fn drop(&mut self) {
            // An unreachable collector does not delay the exit.
            let _ = self.0.shutdown();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(level: &str, expected: &[&str]) {
        let filter = filter(level).unwrap().to_string();
        let mut directives: Vec<_> = filter.split(',').collect();
        directives.sort_unstable();
        assert_eq!(directives, expected);
    }

    #[test]
    fn lapin_is_silent_unless_it_is_asked() {
        check("warn", &[AUDIT, "lapin=off", "warn", "zkwhirl::trace=off"]);
        let (off, worker) = ("zkwhirl::trace=off", "zkwhirl_worker=debug");
        let all = [AUDIT, "info", "lapin=off", off, worker];
        check("zkwhirl_worker=debug,info", &all);
        check("info,lapin=debug", &[AUDIT, "info", "lapin=debug", off]);
        let wrong = filter("loud=very").unwrap_err().to_string();
        let line = "ZKWHIRL_LOG=loud=very is no log filter";
        assert!(wrong.starts_with(line), "{wrong}");
    }
}
