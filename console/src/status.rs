//! The bridge's state and its current problems.

use std::time::Duration;

use zkwhirl_job::{Topic, clock};
use zkwhirl_ledger::{JobRecord, JobState};

use super::{
    state::ConsoleState,
    views::{Banner, BridgeStatus},
};

/// The ping gap that raises an alarm. After five seconds without a ping Falafel
/// issues a ticket again.
const PING_GAP_ALARM: Duration = Duration::from_secs(4);

/// A banner's level, what an operator can do, and the section of the runbook with
/// details.
struct Remedy(&'static str, &'static str, &'static str);

const LEDGER: Remedy = Remedy(
    "alarm",
    "Is Redis running? The bridge still pings its tickets; no job is lost.",
    "ZkWhirlLedgerErrors",
);
const BROKER: Remedy = Remedy(
    "alarm",
    "Is RabbitMQ running? Jobs are published when RabbitMQ is back.",
    "ZkWhirlBrokerAway",
);
const WORKERS: Remedy = Remedy(
    "alarm",
    "Start a worker (zkwhirl worker --topic …), or resume a paused worker.",
    "ZkWhirlFleetStarved",
);
const FALAFEL: Remedy = Remedy(
    "warning",
    "Is Falafel running, and is JOB_SERVER_URL right? The bridge tries again and again.",
    "ZkWhirlFalafelAway",
);
const PINGS: Remedy = Remedy(
    "alarm",
    "Is the bridge's machine overloaded, or the network to Falafel?",
    "ZkWhirlLeaseMarginThin",
);
const LETTERS: Remedy = Remedy(
    "warning",
    "See Dead letters: replay a job once its cause is gone; reject a job that can never be proved.",
    "ZkWhirlDeadLetter",
);

impl ConsoleState {
    pub(super) async fn status(&self) -> BridgeStatus {
        let bridge = &self.config.bridge;
        let stats = bridge.stats();
        let mut banners = Vec::new();
        let mut show = |text: String, Remedy(level, way_out, runbook): Remedy| {
            banners.push(Banner {
                level,
                text,
                way_out,
                runbook,
            });
        };
        let listing = self.listing().await;
        if let Err(error) = &listing {
            show(format!("the ledger does not answer: {error}"), LEDGER);
        }
        let jobs = listing.unwrap_or_default();
        for topic in Topic::ALL {
            let own = |job: &&JobRecord| {
                let same = job.kind.is_some_and(|kind| kind.topic() == topic);
                same && JobState::OUTSTANDING.contains(&job.state)
            };
            let waiting = jobs.iter().filter(own).count();
            match bridge.broker().depth(topic).await {
                Err(error) => {
                    show(format!("the broker does not answer: {error}"), BROKER);
                    break;
                }
                Ok(depth) if depth.consumers == 0 && waiting > 0 => {
                    let text = format!("no worker claims {topic} jobs, {waiting} jobs wait");
                    show(text, WORKERS);
                }
                Ok(_) => {}
            }
        }
        let missing = stats.upstreams.iter();
        for upstream in missing.filter(|up| !up.reachable && !up.may_be_closed) {
            let text = format!("Falafel's {} server does not answer", upstream.name);
            show(text, FALAFEL);
        }
        if stats.current_ping_gap > PING_GAP_ALARM && stats.open_tickets > 0 {
            let gap = stats.current_ping_gap.as_secs_f32();
            let text = format!("a ticket was not pinged for {gap:.1} s, Falafel waits 5 s");
            show(text, PINGS);
        }
        let dead = jobs.iter().filter(|job| job.state == JobState::Dead);
        let dead = dead.count();
        if dead > 0 {
            let text = match dead {
                1 => "1 job is a dead letter: its rollup waits for an operator".to_owned(),
                many => format!("{many} jobs are dead letters: their rollups wait for an operator"),
            };
            show(text, LETTERS);
        }
        let slots = bridge.ledger().slots().await;
        BridgeStatus {
            now_ms: clock::now_ms(),
            bridge: bridge.name().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            can_act: self.config.token.is_some(),
            open_tickets: stats.open_tickets,
            slots: slots.map_or(0, |slots| slots.len()),
            dead,
            banners,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::in_runbook;

    #[test]
    fn every_banner_has_a_section_of_the_runbook() {
        for Remedy(_, _, section) in [LEDGER, BROKER, WORKERS, FALAFEL, PINGS, LETTERS] {
            assert!(in_runbook(section), "{section}");
        }
        assert!(!in_runbook("Runbook"), "the title is no section");
    }
}
