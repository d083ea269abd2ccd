//! The catalogue as a page: docs/METRICS.md.

use std::fmt::Write;

use crate::{Family, Kind, Role, label, series};

const HEAD: &str = "\
# Metrics

*Generated from `telemetry/` by `scripts/gen-metrics`; a test compares this page with a live scrape.*

Every role (`bridge`, `worker`, `up`, `demo`) serves `/metrics`, `/livez` and `/readyz` on its admin address: `--admin`, `ZKWHIRL_ADMIN`, by default `127.0.0.1:9464`; port 0 takes a free one, and the address is printed. A thread of its own answers, also while every core proves. Where another process has the default port a free one is taken.

- `/livez` is 200 while the process's own work gets on (a beat at least every 60 s), else 503: restart it.
- `/readyz` is 200 when it can do its work, else 503 with the reason: a bridge that has joined the ledger and reaches RabbitMQ; a worker, `up` or `demo` with a slot in the queue that is not draining.

Names end in their unit. Counters count from the process's start. Every series is there from the start, at 0. Label values are closed sets (below); ids are in logs. What several bridges on one ledger say about jobs (`zkwhirl_jobs`, `zkwhirl_jobs_outstanding`, `zkwhirl_oldest_job_age_seconds`, `zkwhirl_queue_*`, `zkwhirl_rollup*`) is about the whole fleet: take the `max`, not the `sum`. **Scale workers by `max by (topic) (zkwhirl_jobs_outstanding)`**: every job that is not finished, in a prover or not.
";

/// The page.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    for role in Role::ALL {
        let (title, who) = match role {
            Role::Process => ("Every process", "`bridge`, `worker`, `up`, `demo`"),
            Role::Bridge => ("Bridge", "`bridge`, `up`, `demo`"),
            Role::Worker => (
                "Worker",
                "`worker`, `up`, `demo`; of a worker for one topic, only that topic's series",
            ),
            Role::Keys => (
                "Keys",
                "`bridge`, `worker`, `up`, `demo`; what prover processes measure arrives in the worker's",
            ),
        };
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## {title}\n\nIn {who}.\n\n| name | kind | labels | |\n|---|---|---|---|\n"
        );
        for family in role.families() {
            line(&mut page, family);
        }
    }
    page.push_str("\n## Labels\n\n| label | values | |\n|---|---|---|\n");
    for label in label::ALL {
        let values = label.values.join(" ");
        let _ = writeln!(page, "| {} | {values} | {} |", label.name, label.help);
    }
    let both = ["inner", "outer"];
    let bridge = series(&[Role::Process, Role::Bridge, Role::Keys], &both);
    let worker = series(&[Role::Process, Role::Worker, Role::Keys], &both[..1]);
    let _ = write!(
        page,
        "\n## How many series\n\nA bridge has {bridge}, a worker for one topic {worker}, `up` and `demo` {}: a bridge and 33 workers about {}.\n",
        series(&Role::ALL, &both),
        bridge + 33 * worker,
    );
    page
}

fn line(page: &mut String, family: &Family) {
    let labels: Vec<_> = family.labels.iter().map(|label| label.name).collect();
    let labels = labels.join(", ");
    let (kind, buckets) = match family.kind {
        Kind::Counter => ("counter", String::new()),
        Kind::Gauge => ("gauge", String::new()),
        Kind::Histogram(bounds) => {
            let bounds: Vec<_> = bounds.iter().map(ToString::to_string).collect();
            ("histogram", format!(" Buckets: {}.", bounds.join(" ")))
        }
    };
    let (name, help) = (family.name, family.help);
    let _ = writeln!(page, "| `{name}` | {kind} | {labels} | {help}{buckets} |");
}
