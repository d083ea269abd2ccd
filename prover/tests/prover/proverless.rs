//! The mock: the original's layout and published fields, and no proof.

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{Request, Sizes, reply::broadcast_bytes};
use zkwhirl_prover::Proverless;

use crate::vector;

/// The original's mock and ours differ in one thing for a whole rollup: the bytes
/// in place of a proof.
#[test]
fn whole_rollups_have_the_originals_broadcast_data_and_length() {
    for (name, root, verifier, size) in [
        ("valid_1x1", "1_root_rollup", "2_root_verifier", 1),
        ("valid_2x2", "2_root_rollup", "3_root_verifier", 2),
    ] {
        let sizes = Sizes::new(size, size).unwrap();
        let mock = Proverless::new(Suite::Pedersen, sizes, std::time::Duration::ZERO);
        for job in [root, verifier] {
            let request = vector(&format!("{name}_{job}_request"));
            let original = vector(&format!("{name}_{job}_reply"));
            let request = Request::parse(&request).unwrap();
            let reply = mock.reply(&request).unwrap();
            let broadcast = broadcast_bytes(sizes);
            assert_eq!(reply[..broadcast], original[..broadcast], "{name} {job}");
            assert_eq!(reply.len(), original.len(), "{name} {job}");
            mock.check(&request, &reply).unwrap();
            mock.check(&request, &original).unwrap_err();
        }
    }
}

#[test]
fn a_final_buffer_is_the_mocks_only_with_its_mark() {
    let sizes = Sizes::new(2, 2).unwrap();
    let mock = Proverless::new(Suite::Pedersen, sizes, std::time::Duration::ZERO);
    let request = Request::parse(&vector("valid_2x2_3_root_verifier_request")).unwrap();
    let buffer = mock.reply(&request).unwrap();
    mock.check_final(&buffer).unwrap();
    let refused = |buffer: Bytes, why: &str| {
        let error = mock.check_final(&buffer).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused(vector("valid_2x2_3_root_verifier_reply"), "not the mock's");
    refused(buffer.slice(..buffer.len() - 1), "must have");
    let mut forged = buffer.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    refused(forged.into(), "not the mock's");
}
