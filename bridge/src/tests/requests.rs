//! Requests that are too long, and requests that the ledger has lost.

use sha2::{Digest, Sha256};
use zkwhirl_job::limits::REQUEST_BYTES;
use zkwhirl_redis::testkit::RedisServer;

use super::{fleet::Peer, *};
use zkwhirl_ledger::redis::testkit::watchful;
use zkwhirl_testkit::stub::Odd;

const LEASE: Duration = Duration::from_secs(1);

/// What is kept of a request that is too long.
fn kept(data: &[u8]) -> Bytes {
    let digest = Sha256::digest(&data[..=REQUEST_BYTES]);
    [&data[..4096], digest.as_slice()].concat().into()
}

fn cut_id(data: &[u8]) -> JobId {
    JobId::of(Command::CreateProof, &kept(data))
}

#[tokio::test]
async fn a_request_too_long_to_be_one_is_parked_and_its_lease_is_kept() {
    let mut world = World::start_with(LEASE).await;
    let mut long = claim(1).to_vec();
    long.resize(REQUEST_BYTES + (1 << 20), 7);
    let id = cut_id(&long);
    let ticket = world.falafel.ask_proof(long.clone());
    world.until_state(id, JobState::Dead).await;
    let letter = world.letter(id).await.unwrap();
    assert_eq!(
        letter.reason,
        format!(
            "job {} parked: its request has more than {REQUEST_BYTES} bytes, the limit; \
             the first 4096 and a digest are kept",
            id.short()
        )
    );
    assert_eq!(letter.payload, Payload::Inline(kept(&long)));
    assert_eq!(letter.kind, Some(Kind::Claim));
    let (_, bytes) = world.ledger.footprint();
    assert!(bytes < 16 << 10, "the ledger holds {bytes} bytes");
    let well_beyond = Instant::now() + 3 * LEASE;
    world.until_pinged_since(&[ticket], well_beyond).await;
    world.assert_issued(&[ticket], 1);
    // Neither a later start nor an operator makes a job of it.
    world.stop_bridge().await;
    world.start_bridge();
    world.until_pinged_since(&[ticket], Instant::now()).await;
    let replayed = world.handle.replay(id).await.unwrap_err().to_string();
    let why = format!("more than {REQUEST_BYTES} bytes");
    assert!(replayed.contains(&why), "{replayed}");
    assert_eq!(world.state(id).await, Some(JobState::Dead));
    world.falafel.assert_no_nack();
}

#[tokio::test]
async fn a_body_without_an_end_is_not_read_to_its_end() {
    let world = World::start_with(LEASE).await;
    let frame = claim_frame(TicketId([7; 32]), 1);
    world.falafel.say(Odd::Endless(frame.to_bytes()));
    let good = world.falafel.ask_proof(claim(2));
    world.until_all_proved(&[good]).await;
    let mut data = claim(1).to_vec();
    data.resize(REQUEST_BYTES + 1, 0);
    world.until_state(cut_id(&data), JobState::Dead).await;
    assert!(world.falafel.was_pinged(frame.ticket));
}

/// What workers were given, in order.
type Given = Arc<std::sync::Mutex<Vec<Payload>>>;

/// A bridge on a Redis that forgets a request while a worker has the job. The
/// bridge is started again, so that it does not remember the request either.
async fn forgetting(reply: impl Fn(usize, &JobEnvelope) -> Bytes + Send + 'static) -> Given {
    let server = RedisServer::start();
    let world = World::without_bridge(LEASE);
    let config = watchful(server.address());
    let peer = Peer::on_redis(&world, "a", &config);
    let ticket = peer.takes(&world, 1..2).await[0];
    let held = world.claim_one(Topic::Inner).await;
    let given = Given::default();
    given.lock().unwrap().push(held.payload.clone());
    let keys: Vec<String> = server.command(&["KEYS", &format!("*q:{}", claim_id(1))]);
    server.command::<()>(&["DEL", &keys[0]]);
    peer.kill();
    let peer = Peer::on_redis(&world, "a", &config);
    world.reply(&held, reply(0, &held)).await;
    drop(held);
    let seen = given.clone();
    let _worker = world.worker(move |job| {
        let mut given = seen.lock().unwrap();
        given.push(job.payload.clone());
        reply(given.len() - 1, job)
    });
    world.until_answered(ticket).await;
    // It came again, unpinged.
    world.assert_issued(&[ticket], 2);
    assert_eq!(peer.stats().unverified, 0, "no worker is blamed");
    given
}

/// The result cannot be verified, nor can the job be tried again: it is asked
/// for once more.
#[tokio::test]
async fn a_job_whose_request_is_gone_is_never_sent_out_empty() {
    for first in ["proof", "forged"] {
        let reply = move |number, job: &JobEnvelope| match number {
            0 => Bytes::from(first),
            _ => proof(job),
        };
        let given = forgetting(reply).await;
        for payload in given.lock().unwrap().iter() {
            assert_eq!(*payload, Payload::Inline(claim(1)));
        }
    }
}
