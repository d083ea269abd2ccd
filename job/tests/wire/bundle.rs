//! A whole rollup in one reply: round trips of valid bundles, rejection of others.

use proptest::prelude::*;
use zkwhirl_job::{
    Kind, Request, Sizes, Word, limits,
    reply::{
        Bundle, BundledInner, MAX_VKS, NativeForm, NativeProof, ReplyShape, SuiteTag,
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
    let first = tail(NativeForm::TxRollup, &[2, 3], 12, &[11, 12]);
    let second = tail(NativeForm::TxRollupChain, &[4, 2], 0, &[13, 14, 15]);
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
        inners: vec![inner(1, first), inner(2, second)],
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

/// Returns the reason why bytes are no bundle.
#[track_caller]
fn refusal(reply: &[u8]) -> String {
    Bundle::parse(reply).unwrap_err().to_string()
}

#[test]
fn a_bundle_round_trips_in_the_documented_layout() {
    let bytes = bundle().to_bytes().unwrap();
    assert_eq!(Bundle::parse(&bytes), Ok(bundle()));
    let number = |number: u64| Word::from(number).0;
    let each = |numbers: &[u64]| numbers.iter().copied().flat_map(number).collect::<Vec<_>>();
    let mut must = Vec::new();
    let numbers = |from: u64, count: u64| (from..from + count).flat_map(number);
    must.extend(numbers(0, BROADCAST as u64));
    must[32..64].copy_from_slice(&number(4));
    let words = 4 + (108 + 1 + 3 + 1 + 12 + 1) + (108 + 1 + 3 + 1 + 1) + 192;
    must.extend(b"zkW1\x01\x03\x00\x04");
    must.extend(u32::to_be_bytes(words));
    must.extend(u32::to_be_bytes(6));
    // The root's key, then the others in the order in which they appear.
    (1..=4).for_each(|vk| must.extend([vk; 32]));
    must.extend(each(&[2, 2, 19, 2]));
    must.extend(numbers(1000, 108));
    must.extend(each(&[1, 2, 1, 2, 12]));
    must.extend(numbers(0, 12));
    must.extend(number(2));
    must.extend(numbers(2000, 108));
    must.extend(each(&[2, 2, 3, 1, 0, 3]));
    (0..32).for_each(|k| must.extend(number(k).repeat(6)));
    (10..16).for_each(|proof| must.extend([proof; 128]));
    assert_eq!(bytes, must);
}

#[test]
fn inner_replies_come_out_as_they_went_in() {
    let bundle = bundle();
    let sizes = bundle.sizes;
    for at in 0..2 {
        let read = BundledInner::of_reply(&bundle.inner_reply(at), sizes);
        assert_eq!(read.as_ref(), Ok(&bundle.inners[at]));
        let fields = bundle.inner_fields(at);
        assert_eq!(fields.len(), 108 + 16);
        assert_eq!(fields[..108], bundle.inners[at].header);
        assert_eq!(fields[108], Word::from(142 + 16 * at as u64));
    }
    let short = BundledInner::of_reply(&[0; 100], sizes).unwrap_err();
    let why = "100 bytes are no rollup: its broadcast data alone has 3968";
    assert_eq!(short.to_string(), why);
}

/// Checks the error for wrong values of one word of the bundle.
#[test]
fn counts_without_meaning_are_refused_by_name() {
    let first = 4 + 108;
    let second = first + 1 + 3 + 1 + 12 + 1;
    for (at, to, name, must) in [
        (0, 0, "txs per inner rollup", "1 to 64"),
        (0, 65, "txs per inner rollup", "1 to 64"),
        (1, u64::MAX, "inner rollups per root rollup", "1 to 64"),
        (2, 29, "log2 of the largest domain", "0 to 28"),
        (3, 0, "number of inner rollups", "1 to 2"),
        (3, 3, "number of inner rollups", "1 to 2"),
        (first, 0, "inner rollup 0: form", "1 to 2"),
        (first, 3, "inner rollup 0: form", "1 to 2"),
        (first + 1, 0, "inner rollup 0: number of keys", "1 to 16"),
        (first + 1, 17, "inner rollup 0: number of keys", "1 to 16"),
        (first + 2, 4, "inner rollup 0: place of a key", "0 to 3"),
        (first + 4, 65_537, "rollup 0: number of words", "0 to 65536"),
        (first + 17, 0, "inner rollup 0: number of proofs", "1 to 5"),
        (first + 17, 6, "inner rollup 0: number of proofs", "1 to 5"),
        (second + 108, 3, "inner rollup 1: form", "1 to 2"),
        (second + 113, 4, "rollup 1: number of proofs", "1 to 3"),
    ] {
        let error = refusal(&changed(at, to));
        let text = format!("{name} is {to}, must be from {must}");
        assert!(error.contains(&text), "{error}, expected {text}");
    }
    let words = first + 4;
    for (at, to, text) in [
        (0, 4, "of 4×2 have 8 slots, the broadcast data has 4"),
        (1, 4, "of 2×4 have 8 slots, the broadcast data has 4"),
        (words, 60_000, "0: words needs 60000 words but 319 are left"),
        (second + 113, 2, "6 proofs, its parts have 5"),
    ] {
        let error = refusal(&changed(at, to));
        assert!(error.contains(text), "{error}, expected {text}");
    }
}

#[test]
fn another_encoding_of_the_same_bundle_is_refused() {
    // Key 2 is named in the place of key 1: both are in the list, but not in the
    // order in which they appear.
    let first = 4 + 108;
    let swapped = [(first + 2, 2), (first + 2, 0), (first + 3, 3)];
    let mut replies: Vec<_> = swapped.map(|(at, to)| changed(at, to)).into();
    // A key that no part names, and a key that is listed twice.
    let reply = bundle().to_bytes().unwrap();
    let vks = 32 * BROADCAST + 16;
    let mut unused = reply.to_vec();
    unused[32 * BROADCAST + 7] += 1;
    unused.splice(vks + 4 * 32..vks + 4 * 32, [9; 32]);
    let mut twice = reply.to_vec();
    twice.copy_within(vks + 32..vks + 64, vks + 96);
    replies.extend([unused, twice]);
    for (case, reply) in replies.iter().enumerate() {
        let why = "bundle: not the one encoding of its parts";
        assert_eq!(refusal(reply), why, "case {case}");
    }
}

#[test]
fn other_replies_are_refused() {
    let reply = bundle().to_bytes().unwrap();
    for end in (0..reply.len()).step_by(7) {
        Bundle::parse(&reply[..end]).unwrap_err();
    }
    Bundle::parse(&[&reply[..], &[0]].concat()).unwrap_err();
    let with = |at: usize, to: u8| {
        let mut reply = reply.to_vec();
        reply[32 * BROADCAST + at] = to;
        refusal(&reply)
    };
    let plonk = with(0, 0);
    assert!(plonk.starts_with("no native proof follows"), "{plonk}");
    let form = "the tail behind the broadcast data is of form 1, must be 3";
    assert_eq!(with(5, 1), form);
    for slots in [0, 3, 8192, u64::MAX] {
        let mut other = reply.to_vec();
        let slots = Word::from(slots);
        other[32..64].copy_from_slice(&slots.0);
        let size = format!("the rollup's size is {slots}, must be a power of two up to 4096");
        assert_eq!(refusal(&other), size);
    }
}

#[test]
fn what_does_not_fit_is_not_written() {
    let written = |bundle: &Bundle| bundle.to_bytes().unwrap_err().to_string();
    let mut many = bundle();
    many.inners[0].tail.vks = (0..MAX_VKS as u8).map(|vk| [vk + 50; 32]).collect();
    let why = "bundle: 19 verification keys, at most 16 fit";
    assert_eq!(written(&many), why);
    let mut long = bundle();
    long.inners[1].tail.words = vec![Word::ZERO; 65_200];
    assert_eq!(written(&long), "bundle: 65636 words, at most 65536 fit");
    long.inners[1].tail.words.truncate(65_000);
    let (error, limit) = (written(&long), limits::REPLY_BYTES);
    assert!(error.ends_with(&format!("at most {limit} fit")), "{error}");
    for change in [
        |inner: &mut BundledInner| inner.tail.form = NativeForm::Single,
        |inner: &mut BundledInner| inner.tail.form = NativeForm::Rollup,
        |inner: &mut BundledInner| inner.tail.suite = SuiteTag::Pedersen,
    ] {
        let mut other = bundle();
        change(&mut other.inners[1]);
        let why = "bundle: the tail of inner rollup 1 is no tx rollup's of the bundle's suite";
        assert_eq!(written(&other), why);
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
        let short = "has 4688 bytes, must have more than the 5568 of its fields";
        let long = [&reply[..], &[0]].concat();
        for (bytes, text) in [(&inner[..], short), (&long, "a native proof of")] {
            let error = shape.check_native(kind, bytes).unwrap_err().to_string();
            assert!(error.starts_with(must) && error.contains(text), "{error}");
        }
    }
    let shape = ReplyShape::of(Kind::TxRollup, sizes);
    assert_eq!(shape.check_native(Kind::TxRollup, &inner), Ok(()));
    let mut other = inner.to_vec();
    other[32 * shape.fields + 5] = 3;
    let error = shape.check_native(Kind::TxRollup, &other).unwrap_err();
    let why = "the reply to a tx-rollup job has a native tail of form 3";
    assert_eq!(error.to_string(), why);
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
    let got = length - 1;
    let why = format!("inner proof 1 length is {got}, must be {must} (byte {at})");
    assert_eq!(error.to_string(), why);

    let root_rollup_reply = bundle().to_bytes().unwrap();
    let verifier = RootVerifierRequest { root_rollup_reply };
    let parsed = Request::parse(&verifier.to_bytes()).unwrap();
    assert_eq!(parsed, Request::RootVerifier(Box::new(verifier)));
    parsed.validate(sizes).unwrap();
    parsed.validate(Sizes::new(2, 1).unwrap()).unwrap_err();
}
