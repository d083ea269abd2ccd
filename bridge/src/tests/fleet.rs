//! Several bridges on one ledger.

use std::ops::Range;

use tokio::{runtime, time::Instant};
use zkwhirl_job::TicketId;

use super::*;

/// A bridge like a process of its own: it can be killed.
pub(super) struct Peer {
    handle: Option<BridgeHandle>,
    /// Its way to the world's ledger, when it is on that.
    ledger: ledger::EmbeddedLedger,
    stop: CancellationToken,
    task: Option<JoinHandle<Result<(), CoreTaskEnded>>>,
    runtime: Option<runtime::Runtime>,
}

impl Peer {
    pub(super) fn start(world: &World, name: &str) -> Self {
        Self::start_with(world, name, |timing| {
            timing.heartbeat_every = Duration::from_millis(200);
            timing.heartbeat_ttl = Duration::from_millis(600);
        })
    }

    fn start_with(world: &World, name: &str, set: impl FnOnce(&mut Timing)) -> Self {
        let ledger = world.ledger.another();
        let same = Arc::new(ledger.clone());
        let mut peer = Self::start_on(world, name, || same, set);
        peer.ledger = ledger;
        peer
    }

    /// A bridge on a ledger that is made on the bridge's own runtime.
    pub(super) fn start_on<L: Ledger + 'static>(
        world: &World,
        name: &str,
        ledger: impl FnOnce() -> Arc<L>,
        set: impl FnOnce(&mut Timing),
    ) -> Self {
        let mut config = world.config();
        config.name = name.to_owned();
        set(&mut config.timing);
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let ledger = {
            let _on = runtime.enter();
            ledger()
        };
        let bridge = Bridge::new(config, world.deps(ledger)).unwrap();
        let (handle, stop) = (bridge.handle(), CancellationToken::new());
        let task = runtime.spawn(bridge.run(stop.clone()));
        Self {
            handle: Some(handle),
            ledger: ledger::EmbeddedLedger::default(),
            stop,
            task: Some(task),
            runtime: Some(runtime),
        }
    }

    pub(super) fn stats(&self) -> BridgeStats {
        self.handle.as_ref().unwrap().stats()
    }

    pub(super) fn open(&self) -> usize {
        self.stats().open_tickets
    }

    /// Takes as many new claims as `numbers` has; no other bridge may be there.
    pub(super) async fn takes(&self, world: &World, numbers: Range<u32>) -> Vec<TicketId> {
        let before = self.stats().tickets;
        let tickets: Vec<_> = numbers.map(|n| world.falafel.ask_proof(claim(n))).collect();
        let wanted = before + tickets.len() as u64;
        eventually("tickets are taken", || async {
            self.stats().tickets == wanted
        })
        .await;
        tickets
    }

    pub(super) async fn until_open(&self, tickets: usize) {
        let open = || async { self.open() == tickets };
        eventually(&format!("{tickets} tickets are pinged"), open).await;
    }

    /// Ends it in good order.
    pub(super) async fn leave(mut self) {
        self.stop.cancel();
        self.task.take().unwrap().await.unwrap().unwrap();
    }

    /// Ends it as `kill -9` does: nothing is said, nothing is closed.
    pub(super) fn kill(self) {}
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.handle = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl World {
    /// Every ticket has been pinged after `since`, in time all along, and was
    /// issued once.
    pub(super) async fn until_pinged_since(&self, tickets: &[TicketId], since: Instant) {
        let pinged = || async {
            let seen = self.falafel.seen();
            tickets.iter().all(|ticket| {
                let ping = seen.pings.get(ticket);
                ping.is_some_and(|(at, _)| *at > since)
            })
        };
        eventually("all are pinged", pinged).await;
    }

    #[track_caller]
    pub(super) fn assert_issued(&self, tickets: &[TicketId], times: usize) {
        for ticket in tickets {
            assert_eq!(self.falafel.issued(*ticket), times);
        }
    }

    pub(super) async fn until_all_answered(&self, tickets: &[TicketId]) {
        for ticket in tickets {
            self.until_answered(*ticket).await;
        }
        self.falafel.assert_no_nack();
    }

    /// How often Falafel heard an answer to a ticket that it waited for. Two
    /// bridges may both send one; the second is to nobody.
    fn heard(&self, ticket: TicketId) -> usize {
        let seen = self.falafel.seen();
        let heard = |(frame, known): &&(zkwhirl_job::Frame, bool)| frame.ticket == ticket && *known;
        seen.answers.iter().filter(heard).count()
    }
}

/// At production's speed.
#[tokio::test]
async fn the_tickets_of_a_bridge_that_dies_are_pinged_before_falafel_misses_them() {
    const LEASE: Duration = Duration::from_secs(5);
    let world = World::without_bridge(LEASE);
    let a = Peer::start_with(&world, "a", |_| ());
    let tickets = a.takes(&world, 0..50).await;
    let b = Peer::start_with(&world, "b", |_| ());
    eventually("b is there", || async { b.stats().member }).await;
    assert_eq!(b.open(), 0, "they are another's");
    a.kill();
    let killed = Instant::now();
    b.until_open(50).await;
    assert!(killed.elapsed() < LEASE, "{:?}", killed.elapsed());
    world
        .until_pinged_since(&tickets, killed + LEASE + Duration::from_secs(1))
        .await;
    world.assert_issued(&tickets, 1);
    let stats = b.stats();
    assert_eq!((stats.adopted, stats.reissues, stats.forgotten), (50, 0, 0));
    let _worker = world.worker(proof);
    world.until_all_answered(&tickets).await;
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
    let a = Peer::start_with(&world, "a", long);
    let tickets = a.takes(&world, 0..10).await;
    let b = Peer::start_with(&world, "b", long);
    eventually("b is there", || async { b.stats().member }).await;
    a.leave().await;
    let left = Instant::now();
    b.until_open(10).await;
    assert!(left.elapsed() < LEASE / 2, "{:?}", left.elapsed());
    world.until_pinged_since(&tickets, left + LEASE).await;
    world.assert_issued(&tickets, 1);
    let _worker = world.worker(proof);
    world.until_all_answered(&tickets).await;
}

#[tokio::test]
async fn a_bridge_that_was_killed_takes_its_own_tickets_over_at_its_start() {
    let mut world = World::without_bridge(LEASE);
    // It asks one ticket whether Falafel remembers: not within this test.
    world.reissue = Duration::from_secs(600);
    let long = |timing: &mut Timing| timing.heartbeat_ttl = Duration::from_secs(600);
    let a = Peer::start_with(&world, "a", long);
    let tickets = a.takes(&world, 0..100).await;
    a.kill();
    let started = Instant::now();
    let a = Peer::start_with(&world, "a", long);
    world.until_pinged_since(&tickets, started).await;
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(a.stats().adopted, 0);
    let _worker = world.worker(proof);
    world.until_all_answered(&tickets).await;
}

#[tokio::test]
async fn a_bridge_whose_heartbeat_ended_goes_on_pinging_and_joins_again() {
    let world = World::without_bridge(LEASE);
    let a = Peer::start(&world, "a");
    let tickets = a.takes(&world, 0..10).await;
    let b = Peer::start(&world, "b");
    eventually("b is there", || async { b.stats().member }).await;
    a.ledger.set_away(true);
    b.until_open(10).await;
    let both = Instant::now();
    world.until_pinged_since(&tickets, both + LEASE).await;
    assert_eq!(a.open(), 10, "it lets nothing go while it knows nothing");
    a.ledger.set_away(false);
    eventually("a joins again", || async { a.stats().rejoined == 1 }).await;
    a.until_open(0).await;
    assert_eq!(b.open(), 10);
    world.until_pinged_since(&tickets, Instant::now()).await;
    world.assert_issued(&tickets, 1);
    let _worker = world.worker(proof);
    world.until_all_answered(&tickets).await;
    b.until_open(0).await;
    for ticket in tickets {
        assert_eq!(world.heard(ticket), 1);
    }
}

#[tokio::test]
async fn a_ledger_that_is_away_for_all_costs_nothing() {
    let world = World::without_bridge(LEASE);
    let a = Peer::start(&world, "a");
    let mut tickets = a.takes(&world, 0..10).await;
    let b = Peer::start(&world, "b");
    eventually("b is there", || async { b.stats().member }).await;
    for peer in [&a, &b] {
        peer.ledger.set_away(true);
    }
    let away = Instant::now();
    // This one is pinged before the ledger knows it.
    tickets.push(world.falafel.ask_proof(claim(10)));
    world
        .until_pinged_since(&tickets, away + LEASE + LEASE / 2)
        .await;
    for peer in [&a, &b] {
        peer.ledger.set_away(false);
    }
    for peer in [&a, &b] {
        eventually("all join again", || async { peer.stats().rejoined == 1 }).await;
    }
    let _worker = world.worker(proof);
    world.until_all_answered(&tickets).await;
    world.assert_issued(&tickets, 1);
    for peer in [&a, &b] {
        peer.until_open(0).await;
    }
}

#[tokio::test]
async fn a_ticket_that_comes_to_another_bridge_is_that_ones() {
    let world = World::without_bridge(LEASE);
    let a = Peer::start(&world, "a");
    let ticket = a.takes(&world, 1..2).await[0];
    eventually("a polls again", || async {
        world.falafel.seen().polls == 2
    })
    .await;
    world.until_state(claim_id(1), JobState::Queued).await;
    // Its poll takes the next job, so b's gets the one after it.
    let b = Peer::start(&world, "b");
    eventually("b polls", || async { world.falafel.seen().polls == 3 }).await;
    a.takes(&world, 2..3).await;
    world.until_state(claim_id(2), JobState::Queued).await;
    let frame = zkwhirl_job::Frame {
        ticket,
        command: 4,
        data: claim(1),
    };
    let odd = zkwhirl_testkit::stub::Odd::Body(frame.to_bytes().to_vec());
    world.falafel.say(odd);
    b.until_open(1).await;
    assert_eq!(b.stats().reissues, 1);
    a.until_open(1).await;
    let depth = world.broker.depth(Topic::Inner).await.unwrap();
    assert_eq!(depth.unfinished(), 2, "no job was published again");
    let _worker = world.worker(proof);
    world.until_answered(ticket).await;
    for peer in [&a, &b] {
        peer.until_open(0).await;
    }
    assert_eq!(world.heard(ticket), 1);
}

#[tokio::test]
async fn a_result_answers_the_tickets_of_all_bridges() {
    let world = World::without_bridge(LEASE);
    let a = Peer::start(&world, "a");
    let mut tickets = a.takes(&world, 1..2).await;
    eventually("a polls again", || async {
        world.falafel.seen().polls == 2
    })
    .await;
    let b = Peer::start(&world, "b");
    eventually("b polls", || async { world.falafel.seen().polls == 3 }).await;
    tickets.extend([1, 1].map(|n| world.falafel.ask_proof(claim(n))));
    eventually("each has one at least", || async {
        a.stats().joined + b.stats().joined == 2 && b.open() > 0
    })
    .await;
    let held = world.claim_one(Topic::Inner).await;
    world.prove(held).await;
    world.until_all_answered(&tickets).await;
    for peer in [&a, &b] {
        peer.until_open(0).await;
    }
    for ticket in tickets {
        assert_eq!(world.heard(ticket), 1);
    }
}

#[tokio::test]
async fn a_ledger_that_lost_everything_costs_work_and_no_ticket() {
    let world = World::without_bridge(Duration::from_secs(1));
    // The loss alone makes them look.
    let seldom = |timing: &mut Timing| {
        timing.reconcile_every = Duration::from_secs(600);
        timing.heartbeat_every = Duration::from_millis(200);
    };
    let a = Peer::start_with(&world, "a", seldom);
    let mut tickets = a.takes(&world, 0..10).await;
    let b = Peer::start_with(&world, "b", seldom);
    eventually("b is there", || async { b.stats().member }).await;
    tickets.extend((10..30).map(|n| world.falafel.ask_proof(claim(n))));
    eventually("all are taken", || async {
        a.stats().tickets + b.stats().tickets == 30
    })
    .await;
    world.ledger.wipe();
    eventually("all are taken again", || async {
        a.stats().tickets + b.stats().tickets == 60
    })
    .await;
    world.assert_issued(&tickets, 2);
    let _worker = world.worker(proof);
    world.until_all_answered(&tickets).await;
    for peer in [&a, &b] {
        eventually("all have joined again", || async { peer.stats().member }).await;
    }
}

#[tokio::test]
async fn bridges_ask_each_about_its_own_tickets_whether_falafel_remembers() {
    let mut world = World::without_bridge(Duration::from_secs(1));
    world.reissue = Duration::from_secs(4);
    let a = Peer::start(&world, "a");
    let mut tickets = a.takes(&world, 0..5).await;
    let b = Peer::start(&world, "b");
    eventually("b is there", || async { b.stats().member }).await;
    tickets.extend((5..30).map(|n| world.falafel.ask_proof(claim(n))));
    eventually("all are taken", || async {
        a.stats().tickets + b.stats().tickets == 30
    })
    .await;
    world.until_polled(32).await;
    world.falafel.stop();
    world.falafel.resume();
    let asked = |peer: &Peer| {
        let parts = peer.handle.as_ref().unwrap().parts.clone();
        move || {
            let asks = parts.jobs.tickets.probes() > 0;
            async move { asks }
        }
    };
    for peer in [&a, &b] {
        eventually("they ask", asked(peer)).await;
    }
    for peer in [&a, &b] {
        let asks = asked(peer);
        eventually("they know", || async { !asks().await }).await;
        assert_eq!(peer.stats().forgotten, 0);
    }
    let again = tickets
        .iter()
        .map(|ticket| world.falafel.issued(*ticket) - 1);
    assert!(again.sum::<usize>() <= 2, "one each");
    // The jobs of a Falafel that forgot are closed by their own bridges.
    world.falafel.stop();
    world.falafel.forget();
    world.falafel.resume();
    eventually("all are closed", || async {
        a.stats().forgotten + b.stats().forgotten == 30
    })
    .await;
    for n in 0..30 {
        world.until_state(claim_id(n), JobState::Withdrawn).await;
    }
}
