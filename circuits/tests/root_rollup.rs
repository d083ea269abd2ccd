//! The root rollup statement: real requests, a small world in both suites, and
//! every rule broken alone.
#![expect(clippy::unwrap_used, reason = "a step that fails must fail the test")]

mod common;
#[path = "common/root.rs"]
mod root;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use root::{RootPlan, interaction, random, raw};
use zkwhirl_circuits::field::{power_of_two, to_word};
use zkwhirl_circuits::published::{NO_ASSET, Published, PublishedError, place};
use zkwhirl_circuits::root_rollup::{
    Broadcast, BroadcastError, RootRollupWitness, RootSize, broadcast, evaluate, header, violations,
};
use zkwhirl_circuits::tree::fold;
use zkwhirl_circuits::{Rule, StatementError, Suite, statement};
use zkwhirl_job::Request;
use zkwhirl_job::request::RootRollupRequest;

const fn size(inners: u32, slots: u32) -> RootSize {
    RootSize { inners, slots }
}

fn request(name: &str) -> RootRollupRequest {
    match Request::parse(&common::read(name).into()).unwrap() {
        Request::RootRollup(request) => *request,
        other => panic!("{name} is a {}", other.kind()),
    }
}

/// Demands that a witness follows the rules, natively and in rows.
#[track_caller]
fn accepted(plan: &RootPlan) -> Broadcast {
    let w = plan.witness();
    let (published, broken) = evaluate(plan.suite, plan.size, &w);
    assert_eq!(broken, []);
    let report = plan.circuit().check_raw(&raw(&w)).unwrap();
    assert_eq!(report.public_input, published.published().public_input());
    assert_eq!(broadcast(plan.suite, plan.size, &w), published);
    published
}

/// The words that stand behind a root rollup's broadcast data.
struct Words {
    broadcast: Vec<[u8; 32]>,
    headers: Vec<Vec<[u8; 32]>>,
    notes: Vec<[[u8; 32]; 6]>,
}

impl Words {
    fn of(broadcast: &Broadcast) -> Self {
        let inners = broadcast.inners().iter();
        let notes = broadcast.interactions().iter();
        Self {
            broadcast: broadcast.words(),
            headers: inners
                .map(|inner| inner.header.iter().map(to_word).collect())
                .collect(),
            notes: notes.map(|note| note.each_ref().map(to_word)).collect(),
        }
    }

    fn read(&self, size: RootSize) -> Result<Broadcast, BroadcastError> {
        Broadcast::read(size, &self.broadcast, &self.headers, &self.notes)
    }
}

#[test]
fn real_requests() {
    for (name, size) in [
        ("valid_1x1_1_root_rollup", size(1, 1)),
        ("valid_2x2_2_root_rollup", size(2, 2)),
    ] {
        let request = request(&format!("{name}_request.bin"));
        let statement = statement::root_rollup(Suite::Pedersen, &request, size).unwrap();
        let words = statement.broadcast.words();
        assert_eq!(words.len(), 142 + 8 * size.total_slots());
        // The broadcast data, then the original's own public input.
        let reply = common::reply(&format!("{name}_reply.bin"), words.len() + 1);
        let (must, input_hash) = reply.split_at(words.len());
        assert_eq!(
            words,
            must.iter().map(to_word).collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(statement.broadcast.input_hash(), input_hash[0], "{name}");
        let read = Words::of(&statement.broadcast).read(size);
        assert_eq!(read, Ok(statement.broadcast.clone()));
        let circuit = format!("root-rollup/pedersen/{size}").parse::<zkwhirl_circuits::Circuit>();
        let report = circuit.unwrap().check(&request).unwrap();
        assert_eq!(report.public_input, statement.public_input());
    }
}

#[test]
fn sums_trees_and_padding() {
    for suite in Suite::ALL {
        let published = accepted(&RootPlan::new(suite, size(3, 2)));
        let h = published.header();
        assert_eq!(h[place::SLOTS], Fr::from(8u64));
        assert_eq!(h[header::INNERS], Fr::from(4u64));
        assert_eq!(h[place::DATA_START_INDEX], Fr::from(64u64));
        assert_eq!(h[place::OLD_DATA_ROOT], random(100));
        assert_eq!(h[place::NEW_DATA_ROOT], random(102));
        assert_eq!(h[place::NEW_NULL_ROOT], random(202));
        let sums = [1000u64, 1001, 10].map(Fr::from);
        assert_eq!(h[place::DEPOSIT_SUMS..][..3], sums);
        let fees = [31u64, 30, 0].map(Fr::from);
        assert_eq!(h[place::FEES..][..3], fees);
        assert_eq!(h[header::INTERACTIONS], interaction(160).commit(suite));
        assert_eq!(h[header::INTERACTIONS + 2], Fr::ZERO);
        assert_eq!(published.words().len(), 142 + 8 * 8);
    }
}

#[test]
fn any_number_of_inner_rollups_and_interactions() {
    for (inners, of, notes) in [(1, 1, 0), (1, 4, 32), (4, 4, 1)] {
        let mut plan = RootPlan::new(Suite::Poseidon, size(of, 1));
        let one = plan.inners[0].clone();
        plan.inners.resize(inners, one);
        plan.interactions = (0..notes).map(interaction).collect();
        accepted(&plan);
    }
    // Lists without an entry, and full ones.
    let mut plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    plan.inners[0] = (Vec::new(), Vec::new());
    (plan.bridges, plan.assets) = (Vec::new(), Vec::new());
    accepted(&plan);
    let full = |count: u64| {
        (1..=count)
            .map(|k| (Fr::from(k), Fr::ONE))
            .collect::<Vec<_>>()
    };
    plan.inners[0] = (full(32), full(16));
    plan.bridges = (1..=32u64).rev().map(Fr::from).collect();
    plan.assets = (1..=16u64).rev().map(Fr::from).collect();
    accepted(&plan);
}

#[test]
fn matrices_do_not_depend_on_the_witness() {
    for (suite, size) in [
        (Suite::Poseidon, size(1, 1)),
        (Suite::Poseidon, size(3, 2)),
        (Suite::Pedersen, size(1, 1)),
    ] {
        let plan = RootPlan::new(suite, size);
        let (circuit, w) = (plan.circuit(), raw(&plan.witness()));
        let blank = circuit.matrices();
        let built = circuit.matrices_raw(&w).unwrap();
        assert_eq!(built.digest(), blank.digest(), "{circuit}");
        let assignment = circuit.assign_raw(&w).unwrap();
        assert_eq!(blank.first_unsatisfied(&assignment), None);
    }
}

/// Demands that exactly one rule is broken, and that only rows of one part
/// of the circuit notice.
#[track_caller]
fn refused(plan: &RootPlan, w: &RootRollupWitness, broken: (Option<usize>, Rule), part: &str) {
    assert_eq!(violations(plan.suite, plan.size, w), [broken]);
    let rows = plan.circuit().unsatisfied_raw(&raw(w)).unwrap();
    let parts: Vec<&str> = rows.iter().map(|row| row.part).collect();
    assert!(!parts.is_empty(), "{broken:?}");
    // Pedersen hashes bits: a value out of range is hashed as another one.
    let alone = plan.suite == Suite::Poseidon;
    assert!(parts.contains(&part), "{broken:?}: {parts:?}");
    assert!(
        !alone || parts.iter().all(|name| *name == part),
        "{broken:?}: {parts:?}"
    );
}

type Breaker = (Option<usize>, Rule, &'static str, fn(&mut RootPlan));

/// Ways to break one rule before the trees are built.
const PLANS: [Breaker; 18] = [
    (None, Rule::InnerCount, "inner rollups", |p| {
        p.inners.clear()
    }),
    (None, Rule::Range("rollup id"), "header", |p| {
        p.rollup_id += power_of_two(25)
    }),
    (None, Rule::Range("rollup beneficiary"), "header", |p| {
        p.beneficiary = power_of_two(160)
    }),
    // Unknown, twice in the rollup's list, and no filler to match.
    (Some(1), Rule::InnerBridge(0), "bridges and fees", |p| {
        p.bridges[1] = Fr::from(75u64)
    }),
    (Some(1), Rule::InnerBridge(0), "bridges and fees", |p| {
        p.bridges.push(Fr::from(77u64))
    }),
    (Some(0), Rule::InnerBridge(1), "bridges and fees", |p| {
        p.inners[0].0[1].0 = Fr::from(79u64)
    }),
    (Some(0), Rule::InnerAsset(0), "bridges and fees", |p| {
        p.assets[1] = Fr::from(8u64)
    }),
    (Some(1), Rule::InnerAsset(0), "bridges and fees", |p| {
        p.assets.push(Fr::ZERO)
    }),
    (Some(1), Rule::InnerAsset(0), "bridges and fees", |p| {
        p.assets.remove(0);
    }),
    (
        None,
        Rule::Range("bridge call data of an interaction note"),
        "interaction notes",
        |p| p.interactions[0].bridge = power_of_two(250),
    ),
    (
        None,
        Rule::Range("total input of an interaction note"),
        "interaction notes",
        |p| p.interactions[1].total_input = power_of_two(252),
    ),
    (
        None,
        Rule::Range("total output a of an interaction note"),
        "interaction notes",
        |p| p.interactions[1].total_output_a = power_of_two(252),
    ),
    (
        None,
        Rule::Range("total output b of an interaction note"),
        "interaction notes",
        |p| p.interactions[1].total_output_b = -Fr::ONE,
    ),
    (
        None,
        Rule::Range("nonce of an interaction note"),
        "interaction notes",
        |p| p.interactions[1].nonce = power_of_two(32),
    ),
    (
        None,
        Rule::Range("result of an interaction note"),
        "interaction notes",
        |p| p.interactions[1].result = Fr::from(2u64),
    ),
    (None, Rule::OldDataRootsRoot, "data roots tree", |p| {
        p.taken_roots.push((7, random(1)))
    }),
    (None, Rule::OldDefiRoot, "defi tree", |p| {
        p.taken_notes.push((6 * 32, random(1)))
    }),
    (None, Rule::OldDefiRoot, "defi tree", |p| {
        p.taken_notes.push((6 * 32 + 31, random(1)))
    }),
];

#[test]
fn every_rule_broken_alone_is_unsatisfiable() {
    for (inner, rule, part, break_it) in PLANS {
        let mut plan = RootPlan::new(Suite::Poseidon, size(3, 2));
        break_it(&mut plan);
        refused(&plan, &plan.witness(), (inner, rule), part);
    }
}

#[test]
fn inner_rollups_that_do_not_follow_are_unsatisfiable() {
    let plan = RootPlan::new(Suite::Poseidon, size(3, 2));
    let good = plan.witness();
    for (inner, field, rule) in [
        (0, place::SLOTS, Rule::InnerSlots),
        (1, place::SLOTS, Rule::InnerSlots),
        (0, place::ROLLUP_ID, Rule::InnerRollupId),
        (1, place::ROLLUP_ID, Rule::InnerRollupId),
        (0, place::OLD_DATA_ROOTS_ROOT, Rule::InnerDataRootsRoot),
        (1, place::OLD_DATA_ROOTS_ROOT, Rule::InnerDataRootsRoot),
        (0, place::NEW_DEFI_ROOT, Rule::InnerDefiRoot),
        (1, place::NEW_DEFI_ROOT, Rule::InnerDefiRoot),
        (1, place::DATA_START_INDEX, Rule::InnerDataStart),
        (1, place::OLD_DATA_ROOT, Rule::InnerDataRoot),
        (1, place::OLD_NULL_ROOT, Rule::InnerNullRoot),
    ] {
        let mut w = good.clone();
        w.inners[inner].header[field] += Fr::ONE;
        refused(&plan, &w, (Some(inner), rule), "inner rollups");
    }
}

#[test]
fn wrong_roots_and_paths_are_unsatisfiable() {
    for suite in Suite::ALL {
        let plan = RootPlan::new(suite, size(3, 1));
        let good = plan.witness();
        let check = |rule, part, break_it: &dyn Fn(&mut RootRollupWitness)| {
            let mut w = good.clone();
            break_it(&mut w);
            refused(&plan, &w, (None, rule), part);
        };
        check(Rule::NewDataRootsRoot, "data roots tree", &|w| {
            w.new_data_roots_root += Fr::ONE
        });
        check(Rule::OldDataRootsRoot, "data roots tree", &|w| {
            w.data_roots_siblings[3] += Fr::ONE;
            let leaf = w.inners[1].header[place::NEW_DATA_ROOT];
            w.new_data_roots_root = fold(suite, leaf, &w.data_roots_siblings, 7.into(), 0);
        });
        check(Rule::NewDefiRoot, "defi tree", &|w| {
            w.new_defi_root += Fr::ONE;
            for inner in &mut w.inners {
                inner.header[place::NEW_DEFI_ROOT] += Fr::ONE;
            }
        });
        check(Rule::OldDefiRoot, "defi tree", &|w| {
            w.old_defi_root += Fr::ONE
        });
    }
}

/// Natively, and by the verifier of the published words: no row says it.
#[test]
fn bridge_call_data_that_is_too_long_is_refused() {
    let mut plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    plan.bridges.push(power_of_two(250));
    let (published, broken) = evaluate(plan.suite, plan.size, &plan.witness());
    assert_eq!(broken, [(None, Rule::Range("bridge call data"))]);
    assert_eq!(
        Words::of(&published).read(plan.size),
        Err(BroadcastError::Range(
            place::BRIDGES + plan.bridges.len() - 1
        ))
    );
}

#[test]
fn more_interactions_than_bridges_are_refused_natively() {
    let mut plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    plan.interactions = (0..33).map(interaction).collect();
    let broken = violations(plan.suite, plan.size, &plan.witness());
    assert!(
        broken.contains(&(None, Rule::InteractionCount)),
        "{broken:?}"
    );
}

#[test]
fn what_the_verifier_of_broadcast_words_checks() {
    let plan = RootPlan::new(Suite::Poseidon, size(3, 1));
    let (published, _) = evaluate(plan.suite, plan.size, &plan.witness());
    assert_eq!(Words::of(&published).read(plan.size), Ok(published.clone()));
    let changed = |change: &dyn Fn(&mut Words)| {
        let mut words = Words::of(&published);
        change(&mut words);
        words.read(plan.size)
    };
    let padding = 142 + 8 * 2;
    let inner = |at, problem: &str| {
        let problem = problem.to_owned();
        Err(BroadcastError::Inner(StatementError::Inner { at, problem }))
    };
    let hash = "inputs hash is not the SHA-256 of the published txs";
    assert_eq!(
        changed(&|words| words.broadcast[3] = [0xff; 32]),
        Err(BroadcastError::NotCanonical(3))
    );
    assert_eq!(
        changed(&|words| words.broadcast[place::BRIDGES + 4][0] = 0x04),
        Err(BroadcastError::Range(place::BRIDGES + 4))
    );
    assert_eq!(
        changed(&|words| words.broadcast[padding][31] = 1),
        Err(BroadcastError::Padding(padding))
    );
    assert_eq!(
        changed(&|words| words.broadcast[142 + 8][31] ^= 1),
        inner(1, hash)
    );
    assert_eq!(
        changed(&|words| words.headers[1][place::INPUTS_HASH][31] ^= 1),
        inner(1, hash)
    );
    assert_eq!(
        changed(&|words| words.headers[0][place::BRIDGES] = to_word(&power_of_two(250))),
        inner(0, "published field 11 is out of range")
    );
    assert_eq!(
        changed(&|words| words.headers[0][5] = [0xff; 32]),
        inner(0, "published field 5 is not canonical")
    );
    assert_eq!(
        changed(&|words| words.headers[0].truncate(107)),
        inner(0, "107 header words, expected 108")
    );
    assert_eq!(
        changed(&|words| words.broadcast[header::PREVIOUS_DEFI_HASH][31] ^= 1),
        Err(BroadcastError::PreviousDefiHash)
    );
    for note in [0, 31] {
        for word in 0..6 {
            assert_eq!(
                changed(&|words| words.notes[note][word][31] ^= 1),
                Err(BroadcastError::PreviousDefiHash)
            );
        }
    }
    assert_eq!(
        changed(&|words| words.notes[31][0] = [0xff; 32]),
        Err(BroadcastError::Interaction(31))
    );
    type Change = fn(&mut Words);
    let counts: [(&str, Change); 5] = [
        ("broadcast words", |words| words.broadcast.truncate(173)),
        ("interaction notes", |words| words.notes.truncate(31)),
        ("inner rollups", |words| words.headers.clear()),
        ("inner rollups", |words| {
            let header = words.headers[0].clone();
            words.headers.resize(4, header);
        }),
        ("broadcast words", |words| words.broadcast.push([0; 32])),
    ];
    for (name, change) in counts {
        let error = changed(&change).unwrap_err();
        assert!(
            matches!(error, BroadcastError::Count { what, .. } if what == name),
            "{error}"
        );
    }
}

/// Whatever of a rollup's words no hash and no count covers, the public input
/// does.
#[test]
fn every_other_word_is_bound_by_the_public_input() {
    let plan = RootPlan::new(Suite::Poseidon, size(2, 1));
    let (published, _) = evaluate(plan.suite, plan.size, &plan.witness());
    let public_input = published.published().public_input();
    let bound = |words: &Words, what: &dyn Fn() -> String| {
        if let Ok(other) = words.read(plan.size) {
            assert_ne!(other.published().public_input(), public_input, "{}", what());
        }
    };
    for at in 0..142 {
        let mut words = Words::of(&published);
        words.broadcast[at][31] ^= 1;
        bound(&words, &|| format!("broadcast word {at}"));
    }
    for at in 0..108 {
        let mut words = Words::of(&published);
        words.headers[0][at][31] ^= 1;
        bound(&words, &|| format!("header word {at}"));
    }
    // One inner rollup fewer, with nothing in its place.
    let mut words = Words::of(&published);
    words.headers.pop();
    words.broadcast[142..].fill([0; 32]);
    bound(&words, &|| "an inner rollup".to_owned());
}

#[test]
fn a_root_rollups_fields_are_not_read_alone() {
    let plan = RootPlan::new(Suite::Poseidon, size(1, 1));
    let (published, _) = evaluate(plan.suite, plan.size, &plan.witness());
    let published = published.published();
    let error = Published::from_words(published.kind(), &published.to_words(), &[]);
    assert_eq!(error, Err(PublishedError::NotAlone));
}

#[test]
fn requests_that_break_a_rule_are_refused_with_inner_rollup_and_rule() {
    let good = request("valid_2x2_2_root_rollup_request.bin");
    let refused = |request: &RootRollupRequest, size: RootSize| {
        let error = statement::root_rollup(Suite::Pedersen, request, size);
        error.unwrap_err().to_string()
    };
    let mut swapped = good.clone();
    swapped.inner_proofs.swap(0, 1);
    assert_eq!(
        refused(&swapped, size(2, 2)),
        "inner rollup 1: data start index does not follow the inner rollup before"
    );
    assert_eq!(
        refused(&good, size(1, 2)),
        "number of inner rollups does not fit the circuit"
    );
    assert_eq!(
        refused(&good, size(2, 32)),
        "inner rollup 0: its reply has 5984 bytes, its 364 published fields alone are 11648"
    );
    assert_eq!(
        refused(&good, size(2, 1)),
        "inner rollup 0: inputs hash is not the SHA-256 of the published txs"
    );
    let mut other = good.clone();
    other.rollup_id = 1;
    assert_eq!(
        refused(&other, size(2, 2)),
        "inner rollup 0: rollup id is not the root rollup's"
    );
    let mut no_assets = good.clone();
    no_assets.asset_ids.clear();
    assert_eq!(
        refused(&no_assets, size(2, 2)),
        "inner rollup 0: asset id 0 does not match exactly one of the root rollup's"
    );
    let mut filler = good;
    filler.asset_ids[0] = NO_ASSET.into();
    assert!(refused(&filler, size(2, 2)).contains("asset id 0"));
    let claim = common::claim("valid_claim_0_request.bin");
    let circuit = RootPlan::new(Suite::Poseidon, size(1, 1)).circuit();
    let error = circuit.assign(&claim).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the request is not a root-rollup request"
    );
}
