//! Requests made by the original Aztec Connect code, proved natively.

use futures_util::future::join_all;
use zkwhirl::cluster::Provers;
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::ReplyCheck;
use zkwhirl_job::{Request, reply};
use zkwhirl_testkit::vector;

use crate::stage::{Scene, native};

/// Claims, and the name of the original's reply if it was recorded.
const CLAIMS: [(&str, Option<&str>); 8] = [
    ("valid_claim_0", Some("reply_mock")),
    ("valid_claim_1", None),
    ("valid_claim_2", None),
    ("valid_claim_3", None),
    ("pedersen/extra_claim_0", Some("reply")),
    ("pedersen/extra_claim_1", Some("reply")),
    ("pedersen/extra_claim_2", Some("reply")),
    ("pedersen/extra_flow_claim", Some("reply")),
];

#[tokio::test(flavor = "multi_thread")]
async fn real_claims_come_back_proved_with_the_originals_public_inputs() {
    let provers = Provers::Native(native(Suite::Pedersen, 1, 1));
    let checker = provers.checker().unwrap();
    let stage = Scene::of(provers).slots(2).start().await;
    let requests = CLAIMS.map(|(claim, _)| vector(&format!("{claim}_request")));
    let replies = join_all(requests.iter().map(|r| stage.falafel.prove(r.clone()))).await;
    for (((name, original), request), reply) in CLAIMS.iter().zip(&requests).zip(replies) {
        let reply = reply.unwrap_or_else(|error| panic!("{name}: {error}"));
        let parsed = Request::parse(request).unwrap();
        checker.check(&parsed, &reply).unwrap();
        if let Some(original) = original {
            let fields = |bytes| reply::fields(bytes, reply::CLAIM_FIELDS).unwrap();
            let original = vector(&format!("{name}_{original}"));
            assert_eq!(fields(&reply), fields(&original), "{name}");
        }
        // The check fails if one bit of the proof or of the fields is changed.
        for place in [reply.len() - 1, 40] {
            let mut changed = reply.to_vec();
            changed[place] ^= 1;
            assert!(checker.check(&parsed, &changed.into()).is_err());
        }
    }
    stage.falafel_noticed_nothing();
    stage.end().await;
}
