//! Tests of processes that need one key: which makes it, waits, may not publish.

use std::{
    fs,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    super::{registry::Publication, *},
    support::{TestFleet, eventually},
};
use crate::{
    KeyStore, KeyWriter,
    conformance::{SEEDED, SINGLE, claim, make, make_by, many_at_once, sections, try_make},
};

#[test]
fn eight_machines_make_one_key_and_seven_fetch_it_and_nothing_is_left() {
    let fleet = TestFleet::new();
    let fetched = AtomicUsize::new(0);
    many_at_once(&fleet, &|progress| {
        let whole = matches!(progress, KeyProgress::Fetching { bytes, of } if bytes == of);
        fetched.fetch_add(whole.into(), Ordering::Relaxed);
    });
    assert_eq!(fetched.into_inner(), 7);
    let files = ["key", "lock", "pin"].map(|end| format!("claim-poseidon-aaaaaaaaaaaaaaaa.{end}"));
    for n in 0..8 {
        assert_eq!(fleet.files(n), [&files[..], &["vk".to_owned()]].concat());
    }
    let manifest = fleet.machine(0).manifest(&claim()).unwrap().unwrap();
    let shared = fleet.shared_file();
    assert_eq!(
        *shared.file_name().unwrap(),
        *format!("{}.key", manifest.file)
    );
    assert!(manifest.published_by.starts_with("machine-"));
    assert_eq!(fleet.records("lock:").len(), 0);
}

#[test]
fn those_that_wait_see_who_makes_the_key_and_how_far_it_is() {
    let fleet = TestFleet::new();
    let seen = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut generate = |writer: &mut KeyWriter| {
                writer.advance().to(0.5);
                eventually("the other saw it", || seen.load(Ordering::SeqCst));
                sections(writer, "one")
            };
            assert!(make_by(&fleet.machine(0), &mut generate).fresh);
        });
        let machine = fleet.machine(1);
        eventually("the first makes it", || {
            machine
                .registry
                .state(&claim())
                .unwrap()
                .generator
                .is_some()
        });
        let watch = |progress: &KeyProgress| {
            if let KeyProgress::Waiting(generator) = progress {
                assert_eq!(generator.who, "machine-0");
                seen.fetch_or(generator.fraction == 0.5, Ordering::SeqCst);
            }
        };
        let mut generate = |_: &mut KeyWriter| panic!("it is made already");
        let key = machine.find_or_generate(&claim(), &SINGLE, &mut generate, &watch);
        assert_eq!(key.unwrap().key.vk(), b"one");
    });
    assert!(seen.into_inner());
}

#[test]
fn a_generator_that_died_is_replaced_when_its_lock_ends() {
    let fleet = TestFleet::new();
    let dead = fleet.with(0, |config| config.lease = Duration::from_millis(300));
    dead.registry.claim(&claim()).unwrap().unwrap();
    let waited = Mutex::new(Vec::new());
    let watch = |progress: &KeyProgress| {
        if let KeyProgress::Waiting(generator) = progress {
            waited.lock().unwrap().push(generator.who.clone());
        }
    };
    let mut generate = |writer: &mut KeyWriter| sections(writer, "one");
    let waiter = fleet.machine(1);
    let made = waiter.find_or_generate(&claim(), &SINGLE, &mut generate, &watch);
    assert!(made.unwrap().fresh);
    let waited = waited.into_inner().unwrap();
    assert!(!waited.is_empty() && waited.iter().all(|who| who == "machine-0"));
}

#[test]
fn a_generator_that_lives_but_never_ends_is_given_up_on() {
    let fleet = TestFleet::new();
    fleet.machine(0).registry.claim(&claim()).unwrap().unwrap();
    let waiter = fleet.with(1, |config| config.patience = Duration::from_millis(50));
    let error = try_make(&waiter, &SINGLE, "one").unwrap_err();
    assert_eq!(
        error.to_string(),
        "gave up waiting for the key for claim/poseidon: machine-0 has been making it for 0 minutes"
    );
}

#[test]
fn whoever_has_an_older_fence_can_neither_go_on_nor_publish() {
    let fleet = TestFleet::new();
    let one = fleet.machine(1);
    let key = make(&fleet.local(0), "one").key;
    let manifest = Manifest::of(&key, "test");
    let publish = |fence| one.registry.publish(&manifest, b"one", fence).unwrap();
    let claimed = || one.registry.claim(&claim()).unwrap();
    let renew = |fence| {
        let renewed = one.registry.renew(&claim(), fence, &Default::default());
        renewed.unwrap()
    };

    let slept = claimed().unwrap();
    assert_eq!(claimed(), None);
    assert_eq!(fleet.delete("lock:"), 1);
    assert!(renew(&slept), "an ended lock is taken again");
    assert_eq!(fleet.delete("lock:"), 1);
    let second = claimed().unwrap();
    assert!(!renew(&slept));
    assert_eq!(publish(Some(&slept)), Publication::Outdated);
    one.registry.release(&claim(), &slept).unwrap();
    assert_eq!(claimed(), None, "not its lock");
    assert!(one.manifest(&claim()).unwrap().is_none());

    fleet.delete("");
    let third = claimed().unwrap();
    let flushed = "also after a flush";
    assert_eq!(publish(Some(&second)), Publication::Outdated, "{flushed}");
    assert_eq!(publish(Some(&third)), Publication::Yes);
    assert_eq!(publish(Some(&third)), Publication::NotFirst);
    assert_eq!(publish(None), Publication::NotFirst);
    assert!(!renew(&third), "there is nothing left to do");
    assert!(fleet.records("lock:").is_empty());
}

#[test]
fn a_generator_that_slept_takes_the_key_of_the_one_that_replaced_it() {
    let fleet = TestFleet::new();
    // The slow machine renews its lock too late.
    let slow = fleet.with(0, |config| config.look_every = Duration::from_secs(60));
    let made = make_by(&slow, &mut |writer| {
        assert_eq!(fleet.delete("lock:"), 1);
        assert!(make(&fleet.machine(1), "quick").fresh);
        sections(writer, "slow")
    });
    assert_eq!((made.fresh, made.key.vk()), (false, &b"quick"[..]));
    assert_eq!(slow.local.list().unwrap().len(), 1);
    let files = fleet.files(0).into_iter();
    assert_eq!(files.filter(|name| name.ends_with(".aside")).count(), 1);
}

#[test]
fn a_generator_that_is_overtaken_stops_and_starts_again_when_it_is_its_turn() {
    let fleet = TestFleet::new();
    let other = fleet.machine(1);
    let mut runs = 0;
    let made = make_by(&fleet.machine(0), &mut |writer| {
        runs += 1;
        if runs == 2 {
            return sections(writer, "second");
        }
        let mut fence = None;
        eventually("another takes the lock", || {
            // The first process takes the lock again unless another is quicker.
            fleet.delete("lock:");
            fence = other.registry.claim(&claim()).unwrap();
            fence.is_some()
        });
        let advance = writer.advance();
        eventually("the first notices", || advance.is_overtaken());
        other.registry.release(&claim(), &fence.unwrap()).unwrap();
        sections(writer, "first")
    });
    assert!(made.fresh);
    assert_eq!((made.key.vk(), runs), (&b"second"[..], 2));
}

#[test]
fn a_key_that_is_here_already_becomes_the_fleets() {
    let fleet = TestFleet::new();
    make(&fleet.local(0), "ceremony");
    assert!(!make(&fleet.machine(0), "another").fresh);
    let fetched = make(&fleet.machine(1), "another");
    assert_eq!(fetched.key.vk(), b"ceremony");
}

#[test]
fn a_development_key_does_not_become_the_key_of_a_fleet_that_wants_another() {
    let fleet = TestFleet::new();
    try_make(&fleet.local(0), &SEEDED, "seeded").unwrap();
    let held = make(&fleet.machine(0), "another");
    assert!(crate::ensure_usable(&held.key, false).is_err());
    assert!(fleet.machine(0).manifest(&claim()).unwrap().is_none());
    try_make(&fleet.machine(0), &SEEDED, "seeded").unwrap();
    assert!(fleet.machine(0).manifest(&claim()).unwrap().is_some());
}

#[test]
fn without_a_shared_directory_a_seeded_key_is_made_again_and_another_is_missed() {
    let fleet = TestFleet::new();
    let machine = |n| fleet.with(n, |config| config.shared = None);
    let first = try_make(&machine(0), &SEEDED, "seeded").unwrap();
    let again = try_make(&machine(1), &SEEDED, "seeded").unwrap();
    assert!(again.fresh);
    assert_eq!(again.key.id(), first.key.id());
    let odd = try_make(&machine(2), &SEEDED, "of another release").unwrap_err();
    assert!(odd.to_string().contains("its vk digest is"), "{odd}");
    assert!(machine(2).local.list().unwrap().is_empty());

    let fleet = TestFleet::new();
    let machine = |n| fleet.with(n, |config| config.shared = None);
    make(&machine(0), "random");
    let missed = try_make(&machine(1), &SINGLE, "random").unwrap_err();
    let text = missed.to_string();
    for part in ["no shared directory is set", &fleet.record("manifest")] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_removed_key_is_nobodys_and_the_next_is_another() {
    let fleet = TestFleet::new();
    let one = fleet.machine(0);
    let old = make(&one, "one").key;
    let (id, path) = (old.id(), old.path().to_owned());
    assert!(one.remove(old).unwrap());
    assert!(!path.exists());
    assert_eq!(fs::read_dir(fleet.shared()).unwrap().count(), 0);
    assert!(one.manifest(&claim()).unwrap().is_none());
    let new = make(&fleet.machine(1), "two");
    assert!(new.fresh);
    assert_ne!(new.key.id(), id);
    // Removing a key that is not the fleet's does not change the fleet's key.
    let mine = make(&fleet.local(2), "mine").key;
    assert!(!fleet.machine(2).remove(mine).unwrap());
    assert_eq!(make(&fleet.machine(3), "x").key.vk(), b"two");
}
