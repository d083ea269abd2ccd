//! How the bridge is, and what is wrong now.

use std::time::Duration;

use zkwhirl_job::Topic;

use super::{
    Inner,
    views::{Banner, Status},
};
use crate::{clock, ledger::JobState};

/// Falafel issues a ticket again that was not pinged for five seconds.
const THIN: Duration = Duration::from_secs(4);

fn alarm(text: String, way_out: &str) -> Banner {
    Banner {
        level: "alarm".to_owned(),
        text,
        way_out: way_out.to_owned(),
    }
}

fn warning(text: String, way_out: &str) -> Banner {
    Banner {
        level: "warning".to_owned(),
        ..alarm(text, way_out)
    }
}

impl Inner {
    pub(super) async fn status(&self) -> Status {
        let bridge = &self.config.bridge;
        let stats = bridge.stats();
        let mut banners = Vec::new();
        let listing = self.listing().await;
        if let Err(error) = &listing {
            let way_out = "Is Redis running? Tickets are pinged meanwhile; nothing is lost.";
            banners.push(alarm(
                format!("the ledger does not answer: {error}"),
                way_out,
            ));
        }
        let jobs = listing.unwrap_or_default();
        let in_state = |state| jobs.iter().filter(|job| job.state == state).count();
        for topic in Topic::ALL {
            let own = |job: &&crate::ledger::JobRecord| {
                let same = job.kind.is_some_and(|kind| kind.topic() == topic);
                same && JobState::OUTSTANDING.contains(&job.state)
            };
            let waiting = jobs.iter().filter(own).count();
            match bridge.broker().depth(topic).await {
                Err(error) => {
                    let way_out = "Is RabbitMQ running? Jobs are published when it is back.";
                    banners.push(alarm(
                        format!("the broker does not answer: {error}"),
                        way_out,
                    ));
                    break;
                }
                Ok(depth) if depth.consumers == 0 && waiting > 0 => banners.push(alarm(
                    format!("no worker takes {topic} jobs, {waiting} wait"),
                    "Start one (zkwhirl worker --topic …), or let a quiet one claim again.",
                )),
                Ok(_) => {}
            }
        }
        for upstream in stats.upstreams.iter().filter(|up| !up.reachable) {
            banners.push(warning(
                format!("Falafel's {} server does not answer", upstream.name),
                "Is Falafel running, and JOB_SERVER_URL right? It is asked again and again.",
            ));
        }
        if stats.current_ping_gap > THIN && stats.open_tickets > 0 {
            let gap = stats.current_ping_gap.as_secs_f32();
            banners.push(alarm(
                format!("a ticket was not pinged for {gap:.1} s, Falafel waits 5 s"),
                "Is the bridge's machine overloaded, or the network to Falafel?",
            ));
        }
        let dead = in_state(JobState::Dead);
        if dead > 0 {
            let text = match dead {
                1 => "1 job was given up on: its rollup waits for an operator".to_owned(),
                many => format!("{many} jobs were given up on: their rollups wait for an operator"),
            };
            banners.push(warning(
                text,
                "See Dead letters: replay when the cause is gone, reject when it cannot be.",
            ));
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
