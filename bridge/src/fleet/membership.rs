//! The registration of this bridge in the ledger: its heartbeat, and the tickets that
//! it adopts.
//!
//! Errors and answers of the ledger never stop the pings of open tickets: an
//! expired heartbeat only means that another bridge may ping the same tickets.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use zkwhirl_ledger::{LedgerError, Membership, Ticket};
use zkwhirl_telemetry::catalogue::bridge::{ADOPTED, REJOINED};

use crate::{retry::Stopped, state::BridgeState};

/// Tickets that are taken over with one call.
const PAGE: usize = 256;
/// How long a bridge that stops waits for the ledger's goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// The state between two heartbeats.
struct Beats {
    /// When this bridge last searched for dead bridges.
    looked: Instant,
    /// Until this time no bridge is treated as dead.
    patient_until: Instant,
    /// An answer may have been lost: this bridge may own tickets without knowing it.
    behind: bool,
}

/// Registers this bridge in the ledger, and pings the tickets that an earlier run of
/// this bridge left. From now on heartbeats must follow: see [`run`].
pub(crate) async fn join(bridge: &BridgeState) -> Result<Vec<Ticket>, Stopped> {
    let what = "register this bridge in the ledger";
    bridge.retry.until_done(what, || join_once(bridge)).await?;
    let own = own_tickets(bridge).await?;
    Ok(bridge.tickets.keep_alive(own))
}

/// Adopts the tickets of dead bridges, and pings them.
pub(crate) async fn adopt(bridge: &BridgeState) -> Result<Vec<Ticket>, Stopped> {
    let what = "adopt the tickets of dead bridges";
    bridge.retry.until_done(what, || adopt_once(bridge)).await
}

/// Sends heartbeats until the bridge stops.
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
                        "cannot write this bridge's heartbeat to the ledger: {error}; the bridge still pings its tickets"
                    );
                }
            }
        }
    }
}

/// Ends this bridge's registration, so that another bridge adopts its tickets at once. If
/// the ledger does not answer, other bridges adopt them after the heartbeat has expired.
pub(crate) async fn leave(bridge: &BridgeState) {
    let member = bridge.member.lock().take();
    let Some(member) = member else { return };
    let why = match timeout(GOODBYE, bridge.ledger.once().leave(&member)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".to_owned(),
    };
    tracing::warn!(
        "cannot deregister this bridge from the ledger, other bridges adopt its tickets only after its heartbeat expires: {why}"
    );
}

/// Lists the open tickets that this bridge owns.
pub(super) async fn own_tickets(bridge: &BridgeState) -> Result<Vec<Ticket>, Stopped> {
    let name = member(bridge).map(|member| member.bridge);
    let name = name.unwrap_or_else(|| bridge.config.name.clone());
    let owned = || bridge.ledger.once().owned(&name);
    let what = "list this bridge's own tickets";
    bridge.retry.until_done(what, owned).await
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
            "this bridge registered again in the ledger: its heartbeat had expired, or another bridge has the same name {name}"
        );
        // If the ledger was unreachable, the heartbeats of the other bridges have
        // expired, too, and will return soon.
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
            "the bridge adopted tickets of another bridge whose heartbeat has expired"
        );
        bridge.compare.notify_one();
    }
    Ok(adopted)
}

/// Requests a new probe of each upstream whose connection was lost while no bridge owned
/// the adopted tickets: Falafel may have restarted meanwhile.
fn doubt(bridge: &BridgeState, adopted: &[Ticket], since_look: Duration) {
    // Before the last search the tickets' bridge lived, or had died during a probe of
    // its own.
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
