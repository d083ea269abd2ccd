//! Generates docs/METRICS.md from the catalogue.

use std::fmt::Write;

use crate::{Family, Kind, Role, label, series};

const HEAD: &str = "\
# Metrics

*Generated from `telemetry/` by `scripts/gen-metrics`; a test compares this page with a live scrape.*

Every role (`bridge`, `worker`, `up`, `demo`) serves `/metrics`, `/livez` and `/readyz` on its admin address: `--admin`, `ZKWHIRL_ADMIN`, by default `127.0.0.1:9464`; port 0 means a free port. If another process uses the default port, a free port is used. The process prints the address. A separate thread answers, even while every core is proving.

- `/livez` is 200 while the process's main runtime runs tasks; after 60 s without a task it is 503: restart the process.
- `/readyz` is 200 while the process can do its work, else 503 with the reason. A bridge is ready when it is registered in the ledger and connected to RabbitMQ; a worker, `up` or `demo` when at least one slot consumes from the queue or is proving. A draining process is not ready.

A metric's name ends in its unit. Counters count from the process's start. Every series exists from the start, with value 0. Label values are closed sets (below); ids are in logs. Every bridge on a ledger reports the same fleet-wide values of `zkwhirl_jobs`, `zkwhirl_jobs_outstanding`, `zkwhirl_oldest_job_age_seconds`, `zkwhirl_queue_*` and `zkwhirl_rollup*`: take the `max`, not the `sum`. **Scale workers by `max by (topic) (zkwhirl_jobs_outstanding)`**: all unfinished jobs, queued or being proved.
";

/// The text of docs/METRICS.md.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    for role in Role::ALL {
        let (title, who) = match role {
            Role::Process => ("Every process", "`bridge`, `worker`, `up`, `demo`"),
            Role::Bridge => ("Bridge", "`bridge`, `up`, `demo`"),
            Role::Worker => (
                "Worker",
                "`worker`, `up`, `demo`; a worker for one topic has only that topic's series",
            ),
            Role::Keys => (
                "Keys",
                "`bridge`, `worker`, `up`, `demo`; a worker includes the measurements of its prover processes",
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
