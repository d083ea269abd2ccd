//! This bridge among the bridges of its ledger: its heartbeat, and the tickets
//! that it takes over.
//!
//! Whatever the ledger says or does not say, what is pinged goes on being
//! pinged here: a heartbeat that ended only means that another bridge may ping
//! the same tickets.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use zkwhirl_ledger::{LedgerError, Membership, Ticket};
use zkwhirl_telemetry::catalogue::bridge::{ADOPTED, REJOINED};

use crate::{retry::Stopped, state::BridgeState};

/// Tickets that are taken over with one call.
const PAGE: usize = 256;
/// How long a bridge that stops waits for the ledger's goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// What a heartbeat knows of those before.
struct Beats {
    /// When dead bridges were last looked for.
    looked: Instant,
    /// No bridge is taken for dead before.
    patient_until: Instant,
    /// An answer may have been lost: tickets may be ours that we do not know.
    behind: bool,
}

/// Joins the bridges of the ledger, and keeps the tickets alive that an earlier
/// start of this bridge left. From now on [`run`] must send heartbeats.
pub(crate) async fn join(bridge: &BridgeState) -> Result<Vec<Ticket>, Stopped> {
    let join = || join_once(bridge);
    bridge.retry.until_done("join the bridges", join).await?;
    let own = own_tickets(bridge).await?;
    Ok(bridge.tickets.keep_alive(own))
}

/// Takes over the tickets of dead bridges, and keeps them alive.
pub(crate) async fn adopt(bridge: &BridgeState) -> Result<Vec<Ticket>, Stopped> {
    let adopt = || adopt_once(bridge);
    bridge.retry.until_done("adopt tickets", adopt).await
}

/// Beats until the bridge stops.
pub(crate) async fn run(bridge: Arc<BridgeState>) -> Result<Infallible, Stopped> {
    let now = Instant::now();
    let every = bridge.config.timing.heartbeat_every;
    let mut ticks = interval_at(now + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beats = Beats {
        looked: now,
        patient_until: now,
        behind: false,
    };
    let mut failures = 0u64;
    loop {
        let beat = async {
            ticks.tick().await;
            beat(&bridge, &mut beats).await
        };
        match bridge.retry.unless_stopped(beat).await? {
            Ok(()) => failures = 0,
            Err(error) => {
                beats.behind = true;
                failures += 1;
                if failures.is_power_of_two() {
                    tracing::warn!(
                        failures,
                        "cannot write the heartbeat; tickets are still pinged: {error}"
                    );
                }
            }
        }
    }
}

/// Ends this bridge's life among the others, so that one of them takes its
/// tickets over at once. If the ledger does not answer they find out when the
/// heartbeat ends.
pub(crate) async fn leave(bridge: &BridgeState) {
    let member = bridge.member.lock().take();
    let Some(member) = member else { return };
    let why = match timeout(GOODBYE, bridge.ledger.once().leave(&member)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".to_owned(),
    };
    tracing::warn!(
        "cannot leave the ledger: other bridges wait until the heartbeat expires: {why}"
    );
}

/// The open tickets that this bridge pings and cares for.
pub(super) async fn own_tickets(bridge: &BridgeState) -> Result<Vec<Ticket>, Stopped> {
    let name = member(bridge).map(|member| member.bridge);
    let name = name.unwrap_or_else(|| bridge.config.name.clone());
    let owned = || bridge.ledger.once().owned(&name);
    bridge.retry.until_done("list own tickets", owned).await
}

async fn beat(bridge: &BridgeState, beats: &mut Beats) -> Result<(), LedgerError> {
    let ledger = bridge.ledger.once();
    let lives = match member(bridge) {
        Some(member) => ledger.beat(&member).await?,
        None => false,
    };
    if !lives {
        join_once(bridge).await?;
        bridge.journal.one(&REJOINED, |stats| &mut stats.rejoined);
        let name = &bridge.config.name;
        tracing::warn!(
            "joined again: the heartbeat had expired, or another bridge has the name {name}"
        );
        // If the ledger was away, the others have no heartbeat either, and are
        // about to.
        beats.patient_until = Instant::now() + bridge.config.timing.heartbeat_ttl;
        beats.behind = true;
    }
    if beats.behind {
        if let Some(member) = member(bridge) {
            let owned = ledger.owned(&member.bridge).await?;
            bridge.tickets.keep_alive(owned);
        }
        bridge.compare.notify_one();
        beats.behind = false;
    }
    if Instant::now() >= beats.patient_until {
        let adopted = adopt_once(bridge).await?;
        doubt(bridge, &adopted, beats.looked.elapsed());
        beats.looked = Instant::now();
    }
    Ok(())
}

async fn join_once(bridge: &BridgeState) -> Result<(), LedgerError> {
    let (name, ttl) = (&bridge.config.name, bridge.config.timing.heartbeat_ttl);
    let member = bridge.ledger.once().join(name, ttl).await?;
    *bridge.member.lock() = Some(member);
    Ok(())
}

async fn adopt_once(bridge: &BridgeState) -> Result<Vec<Ticket>, LedgerError> {
    let mut adopted = Vec::new();
    while let Some(member) = member(bridge) {
        let Some(page) = bridge.ledger.once().adopt(&member, PAGE).await? else {
            // The next heartbeat joins again.
            *bridge.member.lock() = None;
            break;
        };
        let full = page.len() >= PAGE;
        adopted.extend(bridge.tickets.keep_alive(page));
        if !full {
            break;
        }
    }
    if !adopted.is_empty() {
        let count = adopted.len();
        let journal = &bridge.journal;
        journal.add(count as u64, &ADOPTED, |stats| &mut stats.adopted);
        tracing::info!(
            count,
            "adopted the tickets of a bridge whose heartbeat has expired"
        );
        bridge.compare.notify_one();
    }
    Ok(adopted)
}

/// Falafel may have restarted while no bridge cared for tickets that were taken
/// over: then it is asked once more whether it remembers.
fn doubt(bridge: &BridgeState, adopted: &[Ticket], since_look: Duration) {
    // Before the last look their bridge lived, or had died in the middle of its
    // own question.
    let timing = &bridge.config.timing;
    let unattended = since_look + timing.heartbeat_ttl + timing.reissue_window(u64::MAX);
    let upstreams: BTreeSet<_> = adopted.iter().map(|ticket| &ticket.upstream).collect();
    let links = upstreams.into_iter();
    let links = links.filter_map(|name| bridge.tickets.links.get(name));
    for link in links.filter(|link| link.lost_within(unattended)) {
        link.doubt();
    }
}

fn member(bridge: &BridgeState) -> Option<Membership> {
    bridge.member.lock().clone()
}
