//! The bridge's counts in Prometheus' text format.

use std::fmt::Write;

use crate::{BridgeStats, bridge::UpstreamStats};

/// The content type of the text.
pub(super) const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All figures.
pub(super) fn text(stats: &BridgeStats, ready_provers: usize) -> String {
    let mut page = Page::default();
    for (name, help, value) in counters(stats) {
        page.head(name, help, "counter");
        page.sample(name, "", value as f64);
    }
    for (name, help, value) in gauges(stats, ready_provers) {
        page.head(name, help, "gauge");
        page.sample(name, "", value);
    }
    let of_each = |page: &mut Page, name, value: fn(&UpstreamStats) -> f64| {
        for upstream in &stats.upstreams {
            // Names are the program's own: nothing in them needs escaping.
            page.sample(
                name,
                &format!("{{upstream=\"{}\"}}", upstream.name),
                value(upstream),
            );
        }
    };
    let name = "zkwhirl_bridge_upstream_reachable";
    page.head(
        name,
        "Whether Falafel's server answered the last time",
        "gauge",
    );
    of_each(&mut page, name, |upstream| {
        f64::from(u8::from(upstream.reachable))
    });
    let name = "zkwhirl_bridge_polls_total";
    page.head(name, "Long polls started", "counter");
    of_each(&mut page, name, |upstream| upstream.polls as f64);
    page.0
}

type Row<T> = (&'static str, &'static str, T);

fn counters(stats: &BridgeStats) -> [Row<u64>; 14] {
    [
        (
            "zkwhirl_bridge_tickets_total",
            "Tickets taken",
            stats.tickets,
        ),
        ("zkwhirl_bridge_jobs_total", "Jobs made of them", stats.jobs),
        (
            "zkwhirl_bridge_joined_total",
            "Tickets that joined a job which was known",
            stats.joined,
        ),
        (
            "zkwhirl_bridge_reissues_total",
            "Open tickets that Falafel issued again",
            stats.reissues,
        ),
        (
            "zkwhirl_bridge_delivered_total",
            "Tickets answered with a reply",
            stats.delivered,
        ),
        (
            "zkwhirl_bridge_nacks_total",
            "Tickets answered with a NACK on an operator's word",
            stats.nacks,
        ),
        (
            "zkwhirl_bridge_dead_letters_total",
            "Jobs that became dead letters",
            stats.parked,
        ),
        (
            "zkwhirl_bridge_unverified_total",
            "Replies that did not verify",
            stats.unverified,
        ),
        (
            "zkwhirl_bridge_strays_total",
            "Results of jobs that nobody knows",
            stats.strays,
        ),
        (
            "zkwhirl_bridge_forgotten_total",
            "Tickets that Falafel had forgotten",
            stats.forgotten,
        ),
        (
            "zkwhirl_bridge_republished_total",
            "Jobs that the broker had lost",
            stats.republished,
        ),
        (
            "zkwhirl_bridge_keystore_answers_total",
            "Verification keys answered without a worker",
            stats.from_keystore,
        ),
        (
            "zkwhirl_bridge_adopted_total",
            "Tickets taken over from other bridges",
            stats.adopted,
        ),
        (
            "zkwhirl_bridge_rejoined_total",
            "Times that this bridge's heartbeat had ended",
            stats.rejoined,
        ),
    ]
}

fn gauges(stats: &BridgeStats, ready_provers: usize) -> [Row<f64>; 4] {
    [
        (
            "zkwhirl_bridge_open_tickets",
            "Tickets that are pinged now",
            stats.open_tickets as f64,
        ),
        (
            "zkwhirl_bridge_ping_gap_seconds",
            "Longest time that an open ticket is without an answered ping",
            stats.current_ping_gap.as_secs_f64(),
        ),
        (
            "zkwhirl_bridge_worst_ping_gap_seconds",
            "The same, the worst since the start",
            stats.worst_ping_gap.as_secs_f64(),
        ),
        (
            "zkwhirl_worker_ready_provers",
            "Provers that take jobs",
            ready_provers as f64,
        ),
    ]
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &str, value: f64) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}
