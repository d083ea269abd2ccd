//! Leases, answers, interrupts.

use tokio::time::{advance, sleep};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_job_that_is_not_pinged_goes_out_again_with_the_same_bytes() {
    let desk = desk();
    create(&desk, "a");
    let first = take(&desk).await;
    let start = Instant::now();
    let second = take(&desk).await;
    assert_eq!(first, second);
    // The lease is over after more than five seconds; the poller looks each second.
    assert_eq!(millis(start), 6000);
    let stats = desk.stats();
    assert_eq!((stats.issued, stats.reissues), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pinged_job_never_goes_out_again() {
    let desk = desk();
    let (ticket, _) = create(&desk, "a");
    take(&desk).await;
    let polling = polling(&desk);
    for _ in 0..60 {
        sleep(Duration::from_secs(1)).await;
        desk.ping(ticket);
    }
    assert!(!polling.is_finished());
    assert_eq!(desk.stats().tickets[&ticket].pings, 60);
}

#[tokio::test(start_paused = true)]
async fn an_expired_old_job_goes_out_before_a_younger_new_one() {
    let desk = desk();
    let (old, _) = create(&desk, "old");
    take(&desk).await;
    advance(Duration::from_millis(5001)).await;
    let (young, _) = create(&desk, "young");
    assert_eq!(take(&desk).await.ticket, old);
    assert_eq!(take(&desk).await.ticket, young);
}

#[tokio::test(start_paused = true)]
async fn the_worst_gap_is_that_between_two_signs_of_life() {
    let desk = desk();
    let (ticket, _) = create(&desk, "a");
    take(&desk).await;
    for gap in [1000, 3500, 1000] {
        advance(Duration::from_millis(gap)).await;
        desk.ping(ticket);
    }
    advance(Duration::from_millis(200)).await;
    desk.complete(answer(ticket, 5, "proof"));
    let stats = desk.stats();
    assert_eq!(stats.worst_gap, Duration::from_millis(3500));
    assert_eq!(stats.tickets[&ticket].worst_gap, stats.worst_gap);
}

#[tokio::test(start_paused = true)]
async fn only_ack_resolves_and_the_first_answer_wins() {
    let desk = desk();
    let (a, proved) = create(&desk, "a");
    let (b, rejected) = create(&desk, "b");
    let (c, odd) = create(&desk, "c");
    desk.complete(answer(a, 5, "proof"));
    desk.complete(answer(a, 5, "another"));
    desk.complete(answer(b, 6, "Proof invalid."));
    // The original rejects on any command that is not ACK.
    desk.complete(answer(c, 4, "odd"));
    desk.complete(answer(TicketId([9; 32]), 5, "never asked"));
    assert_eq!(proved.await.unwrap().unwrap(), "proof");
    let nack = Rejected::Nack("Proof invalid.".into());
    assert_eq!(rejected.await.unwrap(), Err(nack));
    assert_eq!(odd.await.unwrap(), Err(Rejected::Nack("odd".into())));
    let stats = desk.stats();
    assert_eq!((stats.completions, stats.nacks, stats.ignored), (1, 2, 2));
    assert_eq!(desk.jobs(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_empty_ack_is_accepted() {
    let desk = desk();
    let (ticket, answered) = create(&desk, "a");
    desk.complete(answer(ticket, 5, ""));
    assert_eq!(answered.await.unwrap(), Ok(Bytes::new()));
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_leaves_zombies_that_go_out_first_and_whose_results_are_lost() {
    let desk = desk();
    let (zombie, rejected) = create(&desk, "zombie");
    desk.interrupt();
    assert_eq!(rejected.await.unwrap(), Err(Rejected::Interrupted));
    assert_eq!(desk.jobs(), 1);
    let (_, waiting) = create(&desk, "new");
    assert_eq!(take(&desk).await.ticket, zombie);
    desk.complete(answer(zombie, 5, "proof"));
    assert_eq!(desk.jobs(), 1);
    assert!(!waiting.is_finished());
    assert_eq!(desk.stats().completions, 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_process_forgets_every_job() {
    let desk = desk();
    let (_, rejected) = create(&desk, "a");
    desk.close();
    assert_eq!(rejected.await.unwrap(), Err(Rejected::Restarted));
    assert_eq!(desk.jobs(), 0);
}
