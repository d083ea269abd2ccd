//! Redis is away, comes back, or has lost everything.

use std::time::Duration;

use super::{
    super::*,
    support::{Fleet, Gate},
};
use crate::{
    ClientCircuit, ClientKind, KeyStore,
    conformance::{claim, make, try_make},
};

const SINGLE: Provenance = Provenance::SingleParty;

#[test]
fn when_redis_is_away_all_go_on_with_what_they_hold_and_nobody_makes_another() {
    let fleet = Fleet::new();
    let gate = Gate::to(&fleet);
    let machine = |n| fleet.with(n, |config| config.address.url = gate.url(&fleet));
    let client = ClientCircuit::new("rollup_cli", ClientKind::JoinSplit).unwrap();
    let (worker, bridge) = (machine(0), machine(1));
    let key = make(&worker, &claim(), "one").key;
    worker.import_client_vk(&client, b"pay").unwrap();
    bridge.verification_key(&claim()).unwrap().unwrap();
    bridge.client_vk(&client).unwrap().unwrap();
    make(
        &EmbeddedKeyStore::new(&fleet.data_dir(3)),
        &claim(),
        "stray",
    );
    gate.cut(true);
    assert_eq!(worker.find(&claim()).unwrap().unwrap().id(), key.id());

    // The others begin now, and give up sooner.
    let machine = |n| {
        fleet.with(n, |config| {
            config.address.url = gate.url(&fleet);
            config.timeout = Duration::from_millis(200);
        })
    };
    let (worker, bridge, new) = (machine(0), machine(1), machine(2));
    let again = try_make(&worker, &claim(), &SINGLE, "two").unwrap();
    assert_eq!((again.fresh, again.key.id()), (false, key.id()));
    for holder in [&worker, &bridge] {
        assert_eq!(holder.verification_key(&claim()).unwrap().unwrap(), b"one");
        assert_eq!(holder.client_vk(&client).unwrap().unwrap(), b"pay");
    }
    let error = try_make(&new, &claim(), &SINGLE, "two").unwrap_err();
    assert!(matches!(error, KeyError::Away { .. }), "{error}");
    assert!(new.verification_key(&claim()).is_err());
    assert!(new.client_vk(&client).is_err());
    assert!(new.import_client_vk(&client, b"pay").is_err());
    let stray = machine(3).find(&claim()).unwrap_err().to_string();
    assert!(stray.contains("is the fleet's is not known yet"), "{stray}");
    assert!(!stray.contains('@'), "no password: {stray}");
}

#[test]
fn a_connection_that_broke_is_made_again() {
    let fleet = Fleet::new();
    let gate = Gate::to(&fleet);
    let worker = fleet.with(0, |config| config.address.url = gate.url(&fleet));
    let key = make(&worker, &claim(), "one").key;
    gate.cut(false);
    let manifest = worker.manifest(&claim()).unwrap().unwrap();
    assert_eq!(manifest.key, key.id().to_string());
}

#[test]
fn a_key_whose_publication_failed_is_published_by_the_next_call() {
    let fleet = Fleet::new();
    let gate = Gate::to(&fleet);
    let worker = fleet.with(0, |config| {
        config.address.url = gate.url(&fleet);
        config.lease = Duration::from_millis(300);
    });
    let mut generate = |writer: &mut crate::KeyWriter| {
        gate.cut(true);
        crate::conformance::sections(writer, "one")
    };
    let error = worker
        .find_or_generate(&claim(), &SINGLE, &mut generate, &|_| {})
        .unwrap_err();
    assert!(matches!(error, KeyError::Away { .. }), "{error}");
    let again = make(&fleet.machine(0), &claim(), "two");
    assert_eq!((again.fresh, again.key.vk()), (false, &b"one"[..]));
    assert_eq!(make(&fleet.machine(1), &claim(), "two").key.vk(), b"one");
}

#[test]
fn after_a_flush_the_next_that_looks_gives_back_what_it_holds() {
    let fleet = Fleet::new();
    let (worker, bridge) = (fleet.machine(0), fleet.machine(1));
    let client = ClientCircuit::new("rollup_cli", ClientKind::JoinSplit).unwrap();
    let key = make(&worker, &claim(), "one").key;
    worker.import_client_vk(&client, b"pay").unwrap();
    bridge.verification_key(&claim()).unwrap().unwrap();
    let looks: [&dyn Fn(); 2] = [&|| drop(worker.find(&claim()).unwrap().unwrap()), &|| {
        drop(make(&worker, &claim(), "two"))
    }];
    for (n, look) in looks.into_iter().enumerate() {
        fleet.flush();
        let vk = bridge.verification_key(&claim()).unwrap().unwrap();
        assert_eq!(vk, b"one", "it goes on with what it holds");
        look();
        let manifest = bridge.manifest(&claim()).unwrap().unwrap();
        assert_eq!(manifest.key, key.id().to_string());
        let new = fleet.machine(2 + n);
        assert_eq!(new.verification_key(&claim()).unwrap().unwrap(), b"one");
        assert_eq!(make(&new, &claim(), "two").key.id(), key.id());
        assert!(new.client_vk(&client).unwrap().is_none());
        assert_eq!(worker.client_vk(&client).unwrap().unwrap(), b"pay");
        assert_eq!(new.client_vk(&client).unwrap().unwrap(), b"pay");
    }
}

#[test]
fn a_stray_key_is_not_published_by_a_mere_look() {
    let fleet = Fleet::new();
    make(
        &EmbeddedKeyStore::new(&fleet.data_dir(0)),
        &claim(),
        "stray",
    );
    assert!(fleet.machine(0).find(&claim()).unwrap().is_some());
    assert!(fleet.machine(0).manifest(&claim()).unwrap().is_none());
}
