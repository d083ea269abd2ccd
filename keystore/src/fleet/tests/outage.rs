//! Tests of a Redis that is unreachable, that comes back, or that has lost its data.

use std::time::Duration;

use zkwhirl_redis::testkit::RedisServer;

use super::{super::*, support::TestFleet};
use crate::{
    ClientCircuit, ClientKind, KeyStore, KeyWriter,
    conformance::{SINGLE, claim, make, sections, try_make},
};

#[test]
fn when_redis_is_away_all_go_on_with_what_they_hold_and_nobody_makes_another() {
    let mut redis = RedisServer::start();
    let fleet = TestFleet::on(redis.address());
    let client = ClientCircuit::new("rollup_cli", ClientKind::JoinSplit).unwrap();
    let (worker, bridge) = (fleet.machine(0), fleet.machine(1));
    let key = make(&worker, "one").key;
    worker.import_client_vk(&client, b"pay").unwrap();
    bridge.verification_key(&claim()).unwrap().unwrap();
    bridge.client_vk(&client).unwrap().unwrap();
    make(&fleet.local(3), "stray");
    redis.kill();
    assert_eq!(worker.find(&claim()).unwrap().unwrap().id(), key.id());

    // Machines that start during the outage have a shorter timeout.
    let machine = |n| fleet.with(n, |config| config.timeout = Duration::from_millis(200));
    let [worker, bridge, new, stray] = [0, 1, 2, 3].map(machine);
    let again = try_make(&worker, &SINGLE, "two").unwrap();
    assert_eq!((again.fresh, again.key.id()), (false, key.id()));
    for holder in [&worker, &bridge] {
        assert_eq!(holder.verification_key(&claim()).unwrap().unwrap(), b"one");
        assert_eq!(holder.client_vk(&client).unwrap().unwrap(), b"pay");
    }
    let error = try_make(&new, &SINGLE, "two").unwrap_err();
    assert!(matches!(error, KeyError::Away { .. }), "{error}");
    assert!(new.verification_key(&claim()).is_err());
    assert!(new.client_vk(&client).is_err());
    assert!(new.import_client_vk(&client, b"pay").is_err());
    let stray = stray.find(&claim()).unwrap_err().to_string();
    assert!(stray.contains("Redis never confirmed that"), "{stray}");
    assert!(!stray.contains('@'), "no password: {stray}");
}

#[test]
fn a_connection_that_broke_is_made_again() {
    let redis = RedisServer::start();
    let fleet = TestFleet::on(redis.address());
    let worker = fleet.machine(0);
    let key = make(&worker, "one").key;
    let killed: u8 = redis.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_eq!(killed, 1);
    let manifest = worker.manifest(&claim()).unwrap().unwrap();
    assert_eq!(manifest.key, key.id().to_string());
}

#[test]
fn a_key_whose_publication_failed_is_published_by_the_next_call() {
    let mut redis = RedisServer::start();
    let fleet = TestFleet::on(redis.address());
    let mut generate = |writer: &mut KeyWriter| {
        redis.kill();
        sections(writer, "one")
    };
    let worker = fleet.machine(0);
    let made = worker.find_or_generate(&claim(), &SINGLE, &mut generate, &|_| {});
    let error = made.unwrap_err();
    assert!(matches!(error, KeyError::Away { .. }), "{error}");
    redis.start_again();
    let again = make(&fleet.machine(0), "two");
    assert_eq!((again.fresh, again.key.vk()), (false, &b"one"[..]));
    assert_eq!(make(&fleet.machine(1), "two").key.vk(), b"one");
}

#[test]
fn after_a_flush_the_next_that_looks_gives_back_what_it_holds() {
    let fleet = TestFleet::new();
    let (worker, bridge) = (fleet.machine(0), fleet.machine(1));
    let client = ClientCircuit::new("rollup_cli", ClientKind::JoinSplit).unwrap();
    let key = make(&worker, "one").key;
    worker.import_client_vk(&client, b"pay").unwrap();
    bridge.verification_key(&claim()).unwrap().unwrap();
    let looks: [&dyn Fn(); 2] = [&|| drop(worker.find(&claim()).unwrap().unwrap()), &|| {
        drop(make(&worker, "two"))
    }];
    for (n, look) in looks.into_iter().enumerate() {
        fleet.delete("");
        let vk = bridge.verification_key(&claim()).unwrap().unwrap();
        assert_eq!(vk, b"one", "it goes on with what it holds");
        look();
        let manifest = bridge.manifest(&claim()).unwrap().unwrap();
        assert_eq!(manifest.key, key.id().to_string());
        let new = fleet.machine(2 + n);
        assert_eq!(new.verification_key(&claim()).unwrap().unwrap(), b"one");
        assert_eq!(make(&new, "two").key.id(), key.id());
        assert!(new.client_vk(&client).unwrap().is_none());
        assert_eq!(worker.client_vk(&client).unwrap().unwrap(), b"pay");
        assert_eq!(new.client_vk(&client).unwrap().unwrap(), b"pay");
    }
}

#[test]
fn a_stray_key_is_not_published_by_a_mere_look() {
    let fleet = TestFleet::new();
    make(&fleet.local(0), "stray");
    assert!(fleet.machine(0).find(&claim()).unwrap().is_some());
    assert!(fleet.machine(0).manifest(&claim()).unwrap().is_none());
}
