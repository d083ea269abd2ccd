//! Several bridges on one ledger.

use std::ops::{Deref, Range};

use tokio::runtime;

use super::*;
use zkwhirl_ledger::redis::{RedisLedger, RedisLedgerConfig};

/// A bridge like a process of its own: it can be killed.
pub(super) struct Peer {
    bridge: Option<RunningBridge>,
    /// Its way to the world's ledger, when it is on that.
    ledger: ledger::EmbeddedLedger,
    runtime: Option<runtime::Runtime>,
}

impl Deref for Peer {
    type Target = RunningBridge;

    fn deref(&self) -> &RunningBridge {
        self.bridge.as_ref().unwrap()
    }
}

impl Peer {
    pub(super) fn start(world: &World, name: &str) -> Self {
        Self::start_with(world, name, quick)
    }

    fn start_with(world: &World, name: &str, set: impl FnOnce(&mut Timing)) -> Self {
        let ledger = world.ledger.another();
        let mut config = world.config();
        config.name = name.to_owned();
        set(&mut config.timing);
        let same = Arc::new(ledger.clone());
        let mut peer = Self::start_on(world, config, || same);
        peer.ledger = ledger;
        peer
    }

    pub(super) fn on_redis(world: &World, name: &str, redis: &RedisLedgerConfig) -> Self {
        let mut config = world.config();
        config.name = name.to_owned();
        Self::start_on(world, config, || {
            Arc::new(RedisLedger::new(redis.clone()).unwrap())
        })
    }

    /// A bridge on a ledger that is made on the bridge's own runtime.
    fn start_on<L: Ledger + 'static>(
        world: &World,
        config: BridgeConfig,
        ledger: impl FnOnce() -> Arc<L>,
    ) -> Self {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let bridge = {
            let _on = runtime.enter();
            RunningBridge::start(config, world.deps(ledger()))
        };
        Self {
            bridge: Some(bridge),
            ledger: ledger::EmbeddedLedger::default(),
            runtime: Some(runtime),
        }
    }

    pub(super) fn open(&self) -> usize {
        self.stats().open_tickets
    }

    /// Takes as many new claims as `numbers` has; no other bridge may be there.
    pub(super) async fn takes(&self, world: &World, numbers: Range<u32>) -> Vec<TicketId> {
        let before = self.stats().tickets;
        let tickets = world.ask_claims(numbers);
        let wanted = before + tickets.len() as u64;
        self.until("tickets are taken", |stats| stats.tickets == wanted)
            .await;
        tickets
    }

    pub(super) async fn until_member(&self) {
        self.until("it is a member", |stats| stats.member).await;
    }

    /// Ends it in good order.
    pub(super) async fn leave(mut self) {
        self.bridge.take().unwrap().stop().await;
    }

    /// Ends it as `kill -9` does: nothing is said, nothing is closed.
    pub(super) fn kill(self) {}
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.bridge = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn quick(timing: &mut Timing) {
    timing.heartbeat_every = Duration::from_millis(200);
    timing.heartbeat_ttl = Duration::from_millis(600);
}

/// Two bridges, of which the first has taken so many claims.
async fn pair(world: &World, claims: u32, set: impl Fn(&mut Timing)) -> ([Peer; 2], Vec<TicketId>) {
    let a = Peer::start_with(world, "a", &set);
    let tickets = a.takes(world, 0..claims).await;
    let b = Peer::start_with(world, "b", &set);
    b.until_member().await;
    ([a, b], tickets)
}

/// Waits until some bridges have taken so many tickets together.
pub(super) async fn until_taken_by(peers: [&Peer; 2], tickets: u64) {
    eventually(&format!("{tickets} tickets are taken"), || async {
        peers.map(|peer| peer.stats().tickets).iter().sum::<u64>() == tickets
    })
    .await;
}

async fn until_closed(peers: [&Peer; 2]) {
    for peer in peers {
        peer.until_open(0).await;
    }
}

impl World {
    pub(super) fn ask_claims(&self, numbers: Range<u32>) -> Vec<TicketId> {
        numbers.map(|n| self.falafel.ask_proof(claim(n))).collect()
    }

    /// How often tickets were issued again, all together.
    pub(super) fn reissues(&self, tickets: &[TicketId]) -> usize {
        let again = tickets
            .iter()
            .map(|ticket| self.falafel.issued(*ticket) - 1);
        again.sum()
    }

    /// Each ticket got one answer while Falafel waited for it. Two bridges may
    /// both send one; the second is to nobody.
    #[track_caller]
    fn assert_heard_once(&self, tickets: &[TicketId]) {
        let seen = self.falafel.seen();
        for ticket in tickets {
            let heard = |(frame, known): &&(Frame, bool)| frame.ticket == *ticket && *known;
            assert_eq!(seen.answers.iter().filter(heard).count(), 1);
        }
    }
}

/// At production's speed.
#[tokio::test]
async fn the_tickets_of_a_bridge_that_dies_are_pinged_before_falafel_misses_them() {
    const LEASE: Duration = Duration::from_secs(5);
    let world = World::without_bridge(LEASE);
    let ([a, b], tickets) = pair(&world, 50, |_| ()).await;
    assert_eq!(b.open(), 0, "they are another's");
    a.kill();
    let killed = Instant::now();
    b.until_open(50).await;
    assert!(killed.elapsed() < LEASE, "{:?}", killed.elapsed());
    let lease_over = killed + LEASE + Duration::from_secs(1);
    world.until_pinged_since(&tickets, lease_over).await;
    world.assert_issued(&tickets, 1);
    let stats = b.stats();
    assert_eq!((stats.adopted, stats.reissues, stats.forgotten), (50, 0, 0));
    world.until_all_proved(&tickets).await;
    b.until_open(0).await;
    b.leave().await;
}

#[tokio::test]
async fn a_bridge_that_leaves_is_followed_at_once() {
    let world = World::without_bridge(LEASE);
    let long = |timing: &mut Timing| {
        timing.heartbeat_every = Duration::from_millis(200);
        timing.heartbeat_ttl = Duration::from_secs(600);
    };
    let ([a, b], tickets) = pair(&world, 10, long).await;
    a.leave().await;
    let left = Instant::now();
    b.until_open(10).await;
    assert!(left.elapsed() < LEASE / 2, "{:?}", left.elapsed());
    world.until_pinged_since(&tickets, left + LEASE).await;
    world.assert_issued(&tickets, 1);
    world.until_all_proved(&tickets).await;
}

#[tokio::test]
async fn a_bridge_that_was_killed_takes_its_own_tickets_over_at_its_start() {
    let mut world = World::without_bridge(LEASE);
    // It asks one ticket whether Falafel remembers: not within this test.
    world.timing.reissue = Duration::from_secs(600);
    let long = |timing: &mut Timing| timing.heartbeat_ttl = Duration::from_secs(600);
    let a = Peer::start_with(&world, "a", long);
    let tickets = a.takes(&world, 0..100).await;
    a.kill();
    let started = Instant::now();
    let a = Peer::start_with(&world, "a", long);
    world.until_pinged_since(&tickets, started).await;
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(a.stats().adopted, 0);
    world.until_all_proved(&tickets).await;
}

#[tokio::test]
async fn a_bridge_whose_heartbeat_ended_goes_on_pinging_and_joins_again() {
    let world = World::without_bridge(LEASE);
    let ([a, b], tickets) = pair(&world, 10, quick).await;
    a.ledger.set_away(true);
    b.until_open(10).await;
    let both = Instant::now();
    world.until_pinged_since(&tickets, both + LEASE).await;
    assert_eq!(a.open(), 10, "it lets nothing go while it knows nothing");
    a.ledger.set_away(false);
    a.until("a joins again", |stats| stats.rejoined == 1).await;
    a.until_open(0).await;
    assert_eq!(b.open(), 10);
    world.until_pinged_since(&tickets, Instant::now()).await;
    world.assert_issued(&tickets, 1);
    world.until_all_proved(&tickets).await;
    b.until_open(0).await;
    world.assert_heard_once(&tickets);
}

#[tokio::test]
async fn a_ledger_that_is_away_for_all_costs_nothing() {
    let world = World::without_bridge(LEASE);
    let ([a, b], mut tickets) = pair(&world, 10, quick).await;
    for peer in [&a, &b] {
        peer.ledger.set_away(true);
    }
    let away = Instant::now();
    // This one is pinged before the ledger knows it.
    tickets.push(world.falafel.ask_proof(claim(10)));
    let lease_over = away + LEASE + LEASE / 2;
    world.until_pinged_since(&tickets, lease_over).await;
    for peer in [&a, &b] {
        peer.ledger.set_away(false);
    }
    for peer in [&a, &b] {
        peer.until("all join again", |stats| stats.rejoined == 1)
            .await;
    }
    world.until_all_proved(&tickets).await;
    world.assert_issued(&tickets, 1);
    until_closed([&a, &b]).await;
}

#[tokio::test]
async fn a_ticket_that_comes_to_another_bridge_is_that_ones() {
    let world = World::without_bridge(LEASE);
    let a = Peer::start(&world, "a");
    let ticket = a.takes(&world, 1..2).await[0];
    world.until_polled(2).await;
    world.until_state(claim_id(1), JobState::Queued).await;
    // Its poll takes the next job, so b's gets the one after it.
    let b = Peer::start(&world, "b");
    world.until_polled(3).await;
    a.takes(&world, 2..3).await;
    world.until_state(claim_id(2), JobState::Queued).await;
    world.falafel.say_again(claim_frame(ticket, 1));
    b.until_open(1).await;
    assert_eq!(b.stats().reissues, 1);
    a.until_open(1).await;
    let depth = world.broker.depth(Topic::Inner).await.unwrap();
    assert_eq!(depth.unfinished(), 2, "no job was published again");
    world.until_all_proved(&[ticket]).await;
    until_closed([&a, &b]).await;
    world.assert_heard_once(&[ticket]);
}

#[tokio::test]
async fn a_result_answers_the_tickets_of_all_bridges() {
    let world = World::without_bridge(LEASE);
    let a = Peer::start(&world, "a");
    let mut tickets = a.takes(&world, 1..2).await;
    world.until_polled(2).await;
    let b = Peer::start(&world, "b");
    world.until_polled(3).await;
    tickets.extend([1, 1].map(|n| world.falafel.ask_proof(claim(n))));
    let taken = async || a.stats().joined + b.stats().joined == 2 && b.open() > 0;
    eventually("each has one at least", taken).await;
    let held = world.claim_one(Topic::Inner).await;
    world.prove(held).await;
    world.until_all_answered(&tickets).await;
    until_closed([&a, &b]).await;
    world.assert_heard_once(&tickets);
}

#[tokio::test]
async fn a_ledger_that_lost_everything_costs_work_and_no_ticket() {
    let world = World::without_bridge(Duration::from_secs(1));
    // The loss alone makes them look.
    let seldom = |timing: &mut Timing| {
        timing.reconcile_every = Duration::from_secs(600);
        timing.heartbeat_every = Duration::from_millis(200);
    };
    let ([a, b], mut tickets) = pair(&world, 10, seldom).await;
    tickets.extend(world.ask_claims(10..30));
    until_taken_by([&a, &b], 30).await;
    world.ledger.wipe();
    until_taken_by([&a, &b], 60).await;
    world.assert_issued(&tickets, 2);
    world.until_all_proved(&tickets).await;
    for peer in [&a, &b] {
        peer.until_member().await;
    }
}

#[tokio::test]
async fn bridges_ask_each_about_its_own_tickets_whether_falafel_remembers() {
    let mut world = World::without_bridge(Duration::from_secs(1));
    world.timing.reissue = Duration::from_secs(4);
    let ([a, b], mut tickets) = pair(&world, 5, quick).await;
    tickets.extend(world.ask_claims(5..30));
    until_taken_by([&a, &b], 30).await;
    world.until_polled(32).await;
    world.falafel.stop();
    world.falafel.resume();
    for asks in [true, false] {
        for peer in [&a, &b] {
            let tickets = &peer.handle.state.tickets;
            let probing = async || tickets.probes.lock().is_empty() != asks;
            eventually("they ask, then they know", probing).await;
        }
    }
    for peer in [&a, &b] {
        assert_eq!(peer.stats().forgotten, 0);
    }
    assert!(world.reissues(&tickets) <= 2, "one each");
    // The jobs of a Falafel that forgot are closed by their own bridges.
    world.falafel.stop();
    world.falafel.forget();
    world.falafel.resume();
    let closed = async || a.stats().forgotten + b.stats().forgotten == 30;
    eventually("all are closed", closed).await;
    for n in 0..30 {
        world.until_state(claim_id(n), JobState::Withdrawn).await;
    }
}
