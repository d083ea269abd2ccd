//! Leases, whatever else happens.

use super::*;

/// The bridge's runtime has one thread here, and it is blocked for longer than
/// a lease lasts.
#[tokio::test]
async fn pings_go_on_while_the_main_runtime_is_blocked() {
    let lease = Duration::from_millis(1500);
    let world = World::start_with(lease).await;
    let tickets = world.ask_claims(0..20);
    world.until_taken(20).await;
    let blocked = Instant::now();
    while blocked.elapsed() < 2 * lease {
        std::hint::spin_loop();
    }
    let last = |ticket| world.falafel.seen().pings[ticket];
    for ticket in &tickets {
        let (at, worst) = last(ticket);
        assert!(at.elapsed() < lease, "pinged {:?} ago", at.elapsed());
        assert!(worst < lease, "a gap of {worst:?}");
    }
    assert_eq!(world.stats().reissues, 0);
    assert!(world.stats().worst_ping_gap < lease);
}

#[tokio::test]
async fn nothing_is_pinged_after_its_answer() {
    let world = World::start().await;
    let _worker = world.worker(proof);
    let answered = world.falafel.ask_proof(claim(1));
    world.until_answered(answered).await;
    world.until_open(0).await;
    let (then, _) = world.falafel.seen().pings[&answered];
    // Another ticket's pings show that time goes by. One ping of the answered
    // ticket may have been under way.
    let open = world.falafel.ask_proof(NONSENSE);
    let later = then + Duration::from_secs(1);
    world.until_pinged_since(&[open], later).await;
    let (now, _) = world.falafel.seen().pings[&answered];
    assert!(now < then + Duration::from_millis(400));
}

#[tokio::test]
async fn the_worst_gap_is_measured_and_pings_resume() {
    let mut world = World::start_with(Duration::from_secs(60)).await;
    let started = Instant::now();
    let ticket = world.falafel.ask_proof(claim(1));
    world.until_taken(1).await;
    world.until_pinged_since(&[ticket], started).await;
    world.falafel.stop();
    let gap = Duration::from_millis(700);
    let grows = |stats: &BridgeStats| stats.current_ping_gap > gap;
    world.until("the gap grows", grows).await;
    world.falafel.resume();
    let closes = |stats: &BridgeStats| stats.current_ping_gap < gap;
    world.until("the gap closes", closes).await;
    assert!(world.stats().worst_ping_gap > gap);
}
