//! From tickets to jobs.

use std::collections::HashSet;

use super::*;

#[tokio::test]
async fn a_job_lives_from_ticket_to_answer() {
    let mut world = World::start().await;
    let _worker = world.worker(proof);
    let ticket = world.falafel.ask_proof(claim(1));
    let data = world.until_answered(ticket).await;
    assert_eq!(data, proof_of(1));
    world.until_state(claim_id(1), JobState::Delivered).await;
    world.until_open(0).await;
    let life = ["taken", "queued", "delivered"].map(|what| (claim_id(1), what));
    assert_eq!(world.happened(), life);
    let stats = world.stats();
    assert_eq!((stats.jobs, stats.delivered, stats.reissues), (1, 1, 0));
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn equal_requests_are_one_job_and_all_are_answered() {
    let world = World::start().await;
    let tickets = [1, 1, 1].map(|n| world.falafel.ask_proof(claim(n)));
    world.until_taken(3).await;
    let job = world.claim_one(Topic::Inner).await;
    let reply = proof(&job);
    assert_eq!(world.depth(Topic::Inner).await, (0, 1), "published once");
    world.prove(job).await;
    for ticket in tickets {
        assert_eq!(world.until_answered(ticket).await, reply);
    }
    // Later tickets are answered from the stored result.
    world.until_state(claim_id(1), JobState::Delivered).await;
    let later = world.falafel.ask_proof(claim(1));
    assert_eq!(world.until_answered(later).await, reply);
    let stats = world.stats();
    assert_eq!((stats.jobs, stats.joined), (1, 3));
}

#[tokio::test]
async fn verification_keys_go_to_the_outer_topic() {
    let world = World::start().await;
    let ticket = world
        .falafel
        .ask(Command::GetAccountVk.code(), Bytes::new());
    let job = world.claim_one(Topic::Outer).await;
    assert_eq!(job.kind, Kind::AccountVk);
    world.prove(job).await;
    world.until_answered(ticket).await;
}

#[tokio::test]
async fn large_requests_stay_in_the_ledger() {
    let world = World::start().await;
    let request = vector("valid_1x1_0_tx_rollup_request");
    world.falafel.ask_proof(request.clone());
    let job = world.claim_one(Topic::Inner).await;
    let Payload::Stored { bytes } = job.payload else {
        panic!("{:?}", job.payload);
    };
    assert_eq!(bytes, request.len() as u64);
    let kept = world.ledger.request(job.id).await.unwrap().unwrap();
    assert_eq!(kept, request);
}

/// Every way to be malformed: parked with a reason that names it, the lease
/// kept, nothing NACKed, nothing sent to a prover, other jobs not disturbed.
#[tokio::test]
async fn what_no_prover_should_see_is_parked_and_stays_pinged() {
    let world = World::start().await;
    let mut no_field = claim(1).to_vec();
    no_field[4..36].fill(0xff);
    let two_txs = vector("tx_rollup_2tx").to_vec();
    let not_below = "data root is not below the field modulus (byte 4)";
    let must_be_empty = "verification key job has 1 bytes, must have none";
    let cases = [
        (4, claim(1)[..4000].to_vec(), "(byte "),
        (4, no_field, not_below),
        (4, NONSENSE.into(), "proof id is 9, must be 0 (tx rollup)"),
        (4, vec![], "proof id needs 4 bytes but 0 are left (byte 0)"),
        (4, two_txs, "number of txs is 2, must be"),
        (3, vec![1], must_be_empty),
        (77, vec![], "command is 77, must be 2"),
    ];
    let asked = cases.map(|(command, data, reason)| {
        let id = JobId::of_code(command, &data);
        (world.falafel.ask(command, data), id, reason)
    });
    let good = world.falafel.ask_proof(claim(2));
    let job = world.claim_one(Topic::Inner).await;
    assert_eq!(job.id, claim_id(2), "only the good one is published");
    world.prove(job).await;
    world.until_answered(good).await;
    for (_, id, reason) in &asked {
        world.until_state(*id, JobState::Dead).await;
        let why = world.letter(*id).await.unwrap().reason;
        assert!(why.starts_with(&format!("job {} parked: ", id.short())));
        assert!(why.contains(reason), "{why} / {reason}");
    }
    // Well beyond their lease they are pinged, and were issued once.
    let tickets = asked.map(|(ticket, ..)| ticket);
    let lease_over = Instant::now() + LEASE + Duration::from_secs(1);
    world.until_pinged_since(&tickets, lease_over).await;
    world.assert_issued(&tickets, 1);
    let stats = world.stats();
    assert_eq!((stats.parked, stats.nacks), (tickets.len() as u64, 0));
    world.until_open(tickets.len()).await;
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn a_ticket_that_comes_again_is_no_new_work() {
    let world = World::start().await;
    let ticket = world.falafel.ask_proof(claim(1));
    let job = world.claim_one(Topic::Inner).await;
    // A stalled Falafel issues it again although it is pinged.
    world.falafel.say_again(claim_frame(ticket, 1));
    let counted = |stats: &BridgeStats| stats.reissues == 1;
    world.until("it is counted", counted).await;
    assert_eq!(world.depth(Topic::Inner).await, (0, 1));
    assert_eq!(world.stats().tickets, 1);
    world.until_open(1).await;
    world.prove(job).await;
    world.until_answered(ticket).await;
}

/// Falafel's largest burst: all claims of a rollup at once.
#[tokio::test]
async fn nine_hundred_claims_keep_their_order_and_all_are_answered() {
    let world = World::start().await;
    let tickets = world.ask_claims(0..900);
    world.until_taken(900).await;
    let mut jobs = world.broker.subscribe(&[Topic::Inner], "w").await.unwrap();
    for n in 0..900 {
        let mut delivery = jobs.claim().await.unwrap();
        assert_eq!(delivery.job.id, claim_id(n), "order of arrival");
        world.reply(&delivery.job, proof(&delivery.job)).await;
        delivery.settle(&Settlement::Ack).await.unwrap();
    }
    let delivered = |stats: &BridgeStats| stats.delivered == 900 && stats.open_tickets == 0;
    world.until("all are delivered", delivered).await;
    let answer = |ticket: &TicketId| world.falafel.answer(*ticket).unwrap().data;
    let distinct: HashSet<_> = tickets.iter().map(answer).collect();
    assert_eq!(distinct.len(), 900);
    let stats = world.stats();
    assert_eq!((stats.reissues, stats.nacks), (0, 0));
    let bridge = &world.handle.state;
    let known = bridge.tickets.known();
    assert!(known.answering.is_empty() && known.pinged.is_empty() && known.taking.is_empty());
    assert!(bridge.publishing.lock().is_empty());
    assert!(bridge.requests.jobs().is_empty());
    world.falafel.assert_no_nack();
}
