//! Every malformed request is refused with a text that names its field.

use std::collections::BTreeSet;

use zkwhirl_job::{Request, malformed::malformed_cases};
use zkwhirl_testkit::vector;

#[test]
fn each_malformed_request_is_refused_by_the_name_of_its_field() {
    let cases = malformed_cases(&vector);
    for case in &cases {
        let parsed = Request::parse(&case.request);
        let error = match case.sizes {
            None => parsed.expect_err(&case.name),
            Some(sizes) => {
                let validated = parsed.expect(&case.name).validate(sizes);
                validated.expect_err(&case.name)
            }
        };
        assert_eq!(error.to_string(), case.error, "{}", case.name);
    }
}

#[test]
fn the_table_is_large_and_has_no_case_twice() {
    let cases = malformed_cases(&vector);
    let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() > 60, "only {} cases", cases.len());
}

/// The first 8 KiB of a tx rollup, cut anywhere, are refused and never panic.
#[test]
fn a_request_cut_at_any_byte_is_refused() {
    for file in ["claim_0.bin", "root_verifier_1x1.bin", "tx_rollup_1tx.bin"] {
        let request = vector(file);
        for end in 0..request.len().min(8192) {
            Request::parse(&request.slice(..end)).unwrap_err();
        }
    }
}
