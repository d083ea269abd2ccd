//! How the bridge is, and what is wrong now.

use std::time::Duration;

use zkwhirl_job::Topic;

use super::{
    Inner,
    views::{Banner, Status},
};
use zkwhirl_job::clock;
use zkwhirl_ledger::JobState;

/// Falafel issues a ticket again that was not pinged for five seconds.
const THIN: Duration = Duration::from_secs(4);

/// What to do about something that is wrong: a sentence, and the section of the
/// runbook that says more.
struct Cure(&'static str, &'static str);

const LEDGER: Cure = Cure(
    "Is Redis running? Tickets are pinged meanwhile; nothing is lost.",
    "ZkWhirlLedgerErrors",
);
const BROKER: Cure = Cure(
    "Is RabbitMQ running? Jobs are published when it is back.",
    "ZkWhirlBrokerAway",
);
const WORKERS: Cure = Cure(
    "Start one (zkwhirl worker --topic …), or let a quiet one claim again.",
    "ZkWhirlFleetStarved",
);
const FALAFEL: Cure = Cure(
    "Is Falafel running, and JOB_SERVER_URL right? It is asked again and again.",
    "ZkWhirlFalafelAway",
);
const PINGS: Cure = Cure(
    "Is the bridge's machine overloaded, or the network to Falafel?",
    "ZkWhirlLeaseMarginThin",
);
const LETTERS: Cure = Cure(
    "See Dead letters: replay when the cause is gone, reject when it cannot be.",
    "ZkWhirlDeadLetter",
);

fn alarm(text: String, Cure(way_out, runbook): Cure) -> Banner {
    Banner {
        level: "alarm".to_owned(),
        text,
        way_out: way_out.to_owned(),
        runbook: runbook.to_owned(),
    }
}

fn warning(text: String, cure: Cure) -> Banner {
    Banner {
        level: "warning".to_owned(),
        ..alarm(text, cure)
    }
}

impl Inner {
    pub(super) async fn status(&self) -> Status {
        let bridge = &self.config.bridge;
        let stats = bridge.stats();
        let mut banners = Vec::new();
        let listing = self.listing().await;
        if let Err(error) = &listing {
            let text = format!("the ledger does not answer: {error}");
            banners.push(alarm(text, LEDGER));
        }
        let jobs = listing.unwrap_or_default();
        let in_state = |state| jobs.iter().filter(|job| job.state == state).count();
        for topic in Topic::ALL {
            let own = |job: &&zkwhirl_ledger::JobRecord| {
                let same = job.kind.is_some_and(|kind| kind.topic() == topic);
                same && JobState::OUTSTANDING.contains(&job.state)
            };
            let waiting = jobs.iter().filter(own).count();
            match bridge.broker().depth(topic).await {
                Err(error) => {
                    let text = format!("the broker does not answer: {error}");
                    banners.push(alarm(text, BROKER));
                    break;
                }
                Ok(depth) if depth.consumers == 0 && waiting > 0 => banners.push(alarm(
                    format!("no worker takes {topic} jobs, {waiting} wait"),
                    WORKERS,
                )),
                Ok(_) => {}
            }
        }
        let missing = stats.upstreams.iter();
        for upstream in missing.filter(|up| !up.reachable && !up.may_be_closed) {
            banners.push(warning(
                format!("Falafel's {} server does not answer", upstream.name),
                FALAFEL,
            ));
        }
        if stats.current_ping_gap > THIN && stats.open_tickets > 0 {
            let gap = stats.current_ping_gap.as_secs_f32();
            banners.push(alarm(
                format!("a ticket was not pinged for {gap:.1} s, Falafel waits 5 s"),
                PINGS,
            ));
        }
        let dead = in_state(JobState::Dead);
        if dead > 0 {
            let text = match dead {
                1 => "1 job was given up on: its rollup waits for an operator".to_owned(),
                many => format!("{many} jobs were given up on: their rollups wait for an operator"),
            };
            banners.push(warning(text, LETTERS));
        }
        let slots = bridge.ledger().slots().await;
        Status {
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
        for Cure(_, section) in [LEDGER, BROKER, WORKERS, FALAFEL, PINGS, LETTERS] {
            assert!(in_runbook(section), "{section}");
        }
        assert!(!in_runbook("Runbook"), "that is its title");
    }
}
