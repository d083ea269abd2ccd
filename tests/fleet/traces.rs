//! The traces that a collector receives from a bridge and a worker.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, routing::post};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::stage::Fleet;

type Bodies = Arc<Mutex<Vec<Value>>>;

/// A collector of traces in OTLP's JSON, with the spans that it received.
async fn collector() -> (String, Bodies) {
    async fn take(State(bodies): State<Bodies>, body: Bytes) -> &'static str {
        let body = serde_json::from_slice(&body).unwrap();
        bodies.lock().unwrap().push(body);
        "{}"
    }
    let bodies = Bodies::default();
    let router = Router::new()
        .route("/v1/traces", post(take))
        .with_state(bodies.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, bodies)
}

#[derive(Debug, Clone)]
struct Span {
    name: String,
    /// The process that sent the span.
    sender: usize,
    trace: String,
    id: String,
    parent: String,
    job: String,
}

fn spans(bodies: &[Value]) -> Vec<Span> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for (sender, body) in bodies.iter().enumerate() {
        for span in list(&body["resourceSpans"])
            .iter()
            .flat_map(|resource| list(&resource["scopeSpans"]))
            .flat_map(|scope| list(&scope["spans"]))
        {
            let attributes = list(&span["attributes"]);
            let job = attributes.iter().find(|one| one["key"] == "zkwhirl.job");
            found.push(Span {
                name: text(&span["name"]),
                sender,
                trace: text(&span["traceId"]),
                id: text(&span["spanId"]),
                parent: text(&span["parentSpanId"]),
                job: job.map_or_else(String::new, |job| text(&job["value"]["stringValue"])),
            });
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_goes_from_the_bridge_to_the_worker_and_back() {
    let mut fleet = Fleet::start(1).await;
    let (address, bodies) = collector().await;
    fleet.environment = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", address),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json".to_owned()),
    ];
    let (bridge, worker) = (fleet.bridge("bridge"), fleet.worker("one", 10));
    fleet.until_settled().await;
    // A process sends its remaining spans when it exits.
    assert_eq!(worker.drain(), Some(0));
    assert_eq!(bridge.drain(), Some(0));
    let spans = spans(&bodies.lock().unwrap());
    let roots = spans.iter().filter(|span| span.name.starts_with("job "));
    let roots: Vec<_> = roots.collect();
    // A claim, two inner rollups, root, verifier.
    assert_eq!(roots.len(), 5, "{spans:#?}");
    for root in roots {
        assert_eq!(root.parent, "");
        let of_job = |name: &str| {
            let mut named = spans.iter().filter(|span| span.name == name);
            let found = named.find(|span| span.job == root.job);
            found.unwrap_or_else(|| panic!("no {name} for {root:?}"))
        };
        let topic = match root.name.contains("root") {
            true => "outer",
            false => "inner",
        };
        let proved = of_job(&format!("process zkwhirl.jobs.{topic}.v1"));
        let published = of_job("publish zkwhirl.jobs");
        let verified = of_job("process zkwhirl.results.v1");
        for span in [proved, published, verified] {
            assert_eq!(span.trace, root.trace, "{span:?}");
        }
        assert_eq!(proved.parent, root.id);
        assert_eq!(published.parent, root.id);
        assert_eq!(verified.parent, proved.id);
        assert_ne!(proved.sender, root.sender, "another process");
    }
}
