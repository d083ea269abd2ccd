//! A whole rollup in one reply: round trips, and everything that is none.

use proptest::prelude::*;
use zkwhirl_job::{
    Kind, Request, Sizes, Word, limits,
    reply::{
        Bundle, BundleError, BundledInner, MAX_VKS, NativeForm, NativeProof, ReplyShape, SuiteTag,
        broadcast_bytes,
    },
    request::RootVerifierRequest,
};
use zkwhirl_testkit::vector;

const BROADCAST: usize = 142 + 8 * 4;

/// A rollup of 2×2 with both inner rollups, of different forms and keys.
fn bundle() -> Bundle {
    let sizes = Sizes::new(2, 2).unwrap();
    let mut broadcast: Vec<Word> = (0..BROADCAST as u64).map(Word::from).collect();
    broadcast[1] = Word::from(4);
    let tail = |form, vks: &[u8], words: u64, proofs: &[u8]| NativeProof {
        suite: SuiteTag::Poseidon,
        form,
        vks: vks.iter().map(|vk| [*vk; 32]).collect(),
        words: (0..words).map(Word::from).collect(),
        proofs: proofs.iter().map(|proof| [*proof; 128]).collect(),
    };
    let inner = |seed: u64, tail| BundledInner {
        header: (0..108).map(|k| Word::from(1000 * seed + k)).collect(),
        tail,
    };
    Bundle {
        sizes,
        domain_log2: 19,
        broadcast,
        suite: SuiteTag::Poseidon,
        vk: [1; 32],
        proof: [10; 128],
        inners: vec![
            inner(1, tail(NativeForm::TxRollup, &[2, 3], 12, &[11, 12])),
            inner(
                2,
                tail(NativeForm::TxRollupChain, &[4, 2], 0, &[13, 14, 15]),
            ),
        ],
        interactions: (0..32).map(|k| [Word::from(k); 6]).collect(),
    }
}

/// The reply with one word of the tail changed.
fn changed(at: usize, to: u64) -> Vec<u8> {
    let mut reply = bundle().to_bytes().unwrap().to_vec();
    let words = 32 * BROADCAST + 16 + 4 * 32;
    reply[words + 32 * at..][..32].copy_from_slice(&Word::from(to).0);
    reply
}

#[test]
fn a_bundle_round_trips() {
    let bytes = bundle().to_bytes().unwrap();
    assert_eq!(Bundle::parse(&bytes), Ok(bundle()));
}

#[test]
fn the_layout_is_the_documented_one() {
    let bytes = bundle().to_bytes().unwrap();
    let number = |number: u64| Word::from(number).0;
    let mut must = Vec::new();
    let numbers = |from: u64, count: u64| (from..from + count).flat_map(number);
    must.extend(numbers(0, BROADCAST as u64));
    must[32..64].copy_from_slice(&number(4));
    let words = 4 + (108 + 1 + 3 + 1 + 12 + 1) + (108 + 1 + 3 + 1 + 1) + 192;
    must.extend(b"zkW1\x01\x03\x00\x04");
    must.extend(u32::to_be_bytes(words));
    must.extend(u32::to_be_bytes(6));
    // The root's key, then the others in the order in which they appear.
    [1, 2, 3, 4]
        .into_iter()
        .for_each(|vk| must.extend([vk; 32]));
    [2, 2, 19, 2]
        .into_iter()
        .for_each(|word| must.extend(number(word)));
    must.extend(numbers(1000, 108));
    [1, 2, 1, 2, 12]
        .into_iter()
        .for_each(|word| must.extend(number(word)));
    must.extend(numbers(0, 12));
    must.extend(number(2));
    must.extend(numbers(2000, 108));
    [2, 2, 3, 1, 0, 3]
        .into_iter()
        .for_each(|word| must.extend(number(word)));
    (0..32).for_each(|k| must.extend(number(k).repeat(6)));
    (10..16).for_each(|proof| must.extend([proof; 128]));
    assert_eq!(bytes, must);
}

#[test]
fn inner_replies_come_out_as_they_went_in() {
    let bundle = bundle();
    let sizes = bundle.sizes;
    for at in 0..2 {
        let reply = bundle.inner_reply(at);
        assert_eq!(
            BundledInner::of_reply(&reply, sizes),
            Ok(bundle.inners[at].clone())
        );
        let fields = bundle.inner_fields(at);
        assert_eq!(fields.len(), 108 + 16);
        assert_eq!(fields[..108], bundle.inners[at].header);
        assert_eq!(fields[108], Word::from(142 + 16 * at as u64));
    }
    let short = BundledInner::of_reply(&[0; 100], sizes).unwrap_err();
    assert_eq!(
        short.to_string(),
        "100 bytes are no rollup: its broadcast data alone has 3968"
    );
}

/// What stands at a word of the bundle's own, and what is said of other values.
#[test]
fn counts_without_meaning_are_refused_by_name() {
    let first = 4 + 108;
    let second = first + 1 + 3 + 1 + 12 + 1;
    for (at, to, text) in [
        (0, 0, "txs per inner rollup is 0, must be from 1 to 64"),
        (0, 65, "txs per inner rollup is 65, must be from 1 to 64"),
        (
            0,
            4,
            "rollups of 4×2 have 8 slots, the broadcast data has 4",
        ),
        (
            1,
            4,
            "rollups of 2×4 have 8 slots, the broadcast data has 4",
        ),
        (
            1,
            u64::MAX,
            "inner rollups per root rollup is 18446744073709551615, must be from 1 to 64",
        ),
        (
            2,
            29,
            "log2 of the largest domain is 29, must be from 0 to 28",
        ),
        (3, 0, "number of inner rollups is 0, must be from 1 to 2"),
        (3, 3, "number of inner rollups is 3, must be from 1 to 2"),
        (first, 0, "inner rollup 0: form is 0, must be from 1 to 2"),
        (first, 3, "inner rollup 0: form is 3, must be from 1 to 2"),
        (
            first + 1,
            0,
            "inner rollup 0: number of keys is 0, must be from 1 to 16",
        ),
        (
            first + 1,
            17,
            "inner rollup 0: number of keys is 17, must be from 1 to 16",
        ),
        (
            first + 2,
            4,
            "inner rollup 0: place of a key is 4, must be from 0 to 3",
        ),
        (
            first + 4,
            65_537,
            "inner rollup 0: number of words is 65537, must be from 0 to 65536",
        ),
        (
            first + 4,
            60_000,
            "inner rollup 0: words needs 60000 words but 319 are left",
        ),
        (
            first + 17,
            0,
            "inner rollup 0: number of proofs is 0, must be from 1 to 5",
        ),
        (
            first + 17,
            6,
            "inner rollup 0: number of proofs is 6, must be from 1 to 5",
        ),
        (
            second + 108,
            3,
            "inner rollup 1: form is 3, must be from 1 to 2",
        ),
        (
            second + 113,
            4,
            "inner rollup 1: number of proofs is 4, must be from 1 to 3",
        ),
        (second + 113, 2, "6 proofs, its parts have 5"),
    ] {
        let error = Bundle::parse(&changed(at, to)).unwrap_err().to_string();
        assert!(error.contains(text), "{error}, expected {text}");
    }
}

#[test]
fn another_encoding_of_the_same_bundle_is_refused() {
    // Key 2 is named where key 1 was: both stand in the list, but not in the
    // order in which they appear.
    let first = 4 + 108;
    for (at, to) in [(first + 2, 2), (first + 2, 0), (first + 3, 3)] {
        let error = Bundle::parse(&changed(at, to)).unwrap_err();
        assert_eq!(error, BundleError::NotCanonical, "word {at}");
    }
    // A key that nothing names, and one that stands there twice.
    let reply = bundle().to_bytes().unwrap();
    let vks = 32 * BROADCAST + 16;
    let mut unused = reply.to_vec();
    unused[32 * BROADCAST + 7] += 1;
    unused.splice(vks + 4 * 32..vks + 4 * 32, [9; 32]);
    assert_eq!(Bundle::parse(&unused), Err(BundleError::NotCanonical));
    let mut twice = reply.to_vec();
    twice.copy_within(vks + 32..vks + 64, vks + 96);
    assert_eq!(Bundle::parse(&twice), Err(BundleError::NotCanonical));
}

#[test]
fn other_replies_are_refused() {
    let reply = bundle().to_bytes().unwrap();
    for end in (0..reply.len()).step_by(7) {
        Bundle::parse(&reply[..end]).unwrap_err();
    }
    Bundle::parse(&[&reply[..], &[0]].concat()).unwrap_err();
    let mut plonk = reply.to_vec();
    plonk[32 * BROADCAST] = 0;
    let error = Bundle::parse(&plonk).unwrap_err().to_string();
    assert!(error.starts_with("no native proof follows"), "{error}");
    let mut single = reply.to_vec();
    single[32 * BROADCAST + 5] = 1;
    assert_eq!(Bundle::parse(&single), Err(BundleError::Form(1)));
    for slots in [0, 3, 8192, u64::MAX] {
        let mut other = reply.to_vec();
        other[32..64].copy_from_slice(&Word::from(slots).0);
        assert_eq!(Bundle::parse(&other), Err(BundleError::Slots(slots.into())));
    }
}

#[test]
fn what_does_not_fit_is_not_written() {
    let mut many = bundle();
    many.inners[0].tail.vks = (0..MAX_VKS as u8).map(|vk| [vk + 50; 32]).collect();
    let error = many.to_bytes().unwrap_err().to_string();
    assert_eq!(error, "bundle: 19 verification keys, at most 16 fit");
    let mut long = bundle();
    long.inners[1].tail.words = vec![Word::ZERO; 65_200];
    let error = long.to_bytes().unwrap_err().to_string();
    assert_eq!(error, "bundle: 65636 words, at most 65536 fit");
    long.inners[1].tail.words.truncate(65_000);
    let error = long.to_bytes().unwrap_err().to_string();
    assert!(
        error.ends_with(&format!("at most {} fit", limits::REPLY_BYTES)),
        "{error}"
    );
    for change in [
        |inner: &mut BundledInner| inner.tail.form = NativeForm::Single,
        |inner: &mut BundledInner| inner.tail.form = NativeForm::Rollup,
        |inner: &mut BundledInner| inner.tail.suite = SuiteTag::Pedersen,
    ] {
        let mut other = bundle();
        change(&mut other.inners[1]);
        assert_eq!(other.to_bytes(), Err(BundleError::Inner(1)));
    }
}

#[test]
fn the_largest_rollup_fits() {
    // 28×32, pedersen: each inner rollup a chain with 56 nullifiers in shards
    // of one, 28 segments of one tx, and all client proofs.
    let sizes = Sizes::new(28, 32).unwrap();
    let mut broadcast = vec![Word::ZERO; broadcast_bytes(sizes) / 32];
    broadcast[1] = Word::from(1024);
    let tail = NativeProof {
        suite: SuiteTag::Pedersen,
        form: NativeForm::TxRollupChain,
        vks: (0..6).map(|vk| [vk; 32]).collect(),
        words: vec![Word::ZERO; 2 + 9 * 28 + 27 + 55],
        proofs: vec![[1; 128]; 28 + 56 + 1 + 28],
    };
    let inner = BundledInner {
        header: vec![Word::ZERO; 108],
        tail,
    };
    let bundle = Bundle {
        sizes,
        domain_log2: 19,
        broadcast,
        suite: SuiteTag::Pedersen,
        vk: [9; 32],
        proof: [1; 128],
        inners: vec![inner; 32],
        interactions: vec![[Word::ZERO; 6]; 32],
    };
    let bytes = bundle.to_bytes().unwrap();
    assert_eq!(bytes.len(), 1_201_072);
    assert!(bundle.inner_reply(31).len() <= limits::INNER_PROOF_BYTES as usize);
    assert_eq!(Bundle::parse(&bytes), Ok(bundle));
}

proptest! {
    #[test]
    fn whatever_is_read_is_written_the_same(at in 0..8000usize, bit in 0..8u32) {
        let reply = bundle().to_bytes().unwrap();
        let mut flipped = reply.to_vec();
        let at = 32 * BROADCAST * usize::from(at % 4 != 0) + at % (reply.len() - 32 * BROADCAST);
        prop_assume!(at < reply.len());
        flipped[at] ^= 1 << bit;
        if let Ok(other) = Bundle::parse(&flipped) {
            prop_assert_ne!(&other, &bundle());
            prop_assert_eq!(other.to_bytes().unwrap(), flipped);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..9000)) {
        let _ = Bundle::parse(&bytes);
    }
}

#[test]
fn native_replies_have_the_tail_of_their_kind() {
    let sizes = bundle().sizes;
    let reply = bundle().to_bytes().unwrap();
    let inner = bundle().inner_reply(0);
    for kind in [Kind::RootRollup, Kind::RootVerifier] {
        let shape = ReplyShape::of(kind, sizes);
        assert_eq!(shape.check_native(kind, &reply), Ok(()));
        assert!(shape.accepts(kind, &reply));
        let must = "the reply to a root-";
        for (bytes, text) in [
            (
                &inner[..],
                "has 4688 bytes, must have more than the 5568 of its fields",
            ),
            (&[&reply[..], &[0]].concat(), "a native proof of"),
        ] {
            let error = shape.check_native(kind, bytes).unwrap_err().to_string();
            assert!(error.starts_with(must) && error.contains(text), "{error}");
        }
    }
    let shape = ReplyShape::of(Kind::TxRollup, sizes);
    assert_eq!(shape.check_native(Kind::TxRollup, &inner), Ok(()));
    let mut other = inner.to_vec();
    other[32 * shape.fields + 5] = 3;
    let error = shape.check_native(Kind::TxRollup, &other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the reply to a tx-rollup job has a native tail of form 3"
    );
}

/// A root rollup's request with native inner replies, and its verifier's.
#[test]
fn requests_may_carry_native_replies() {
    let sizes = bundle().sizes;
    let original = Request::parse(&vector("valid_2x2_2_root_rollup_request")).unwrap();
    original.validate(sizes).unwrap();
    let Request::RootRollup(mut request) = original else {
        panic!("the file holds a root rollup");
    };
    request.inner_proofs = vec![bundle().inner_reply(0), bundle().inner_reply(1)];
    let parsed = Request::parse(&request.to_bytes()).unwrap();
    assert_eq!(parsed, Request::RootRollup(request.clone()));
    parsed.validate(sizes).unwrap();
    let length = request.inner_proofs[1].len();
    request.inner_proofs[1] = request.inner_proofs[1].slice(..length - 1);
    let error = Request::RootRollup(request).validate(sizes).unwrap_err();
    let at = 16 + 4 + bundle().inner_reply(0).len();
    let must = "5984, or 3968 and the native tail of a tx rollup";
    assert_eq!(
        error.to_string(),
        format!(
            "inner proof 1 length is {}, must be {must} (byte {at})",
            length - 1
        )
    );

    let root_rollup_reply = bundle().to_bytes().unwrap();
    let verifier = RootVerifierRequest { root_rollup_reply };
    let parsed = Request::parse(&verifier.to_bytes()).unwrap();
    assert_eq!(parsed, Request::RootVerifier(Box::new(verifier)));
    parsed.validate(sizes).unwrap();
    parsed.validate(Sizes::new(2, 1).unwrap()).unwrap_err();
}
