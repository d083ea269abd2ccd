//! Tests of a fleet's keystore.

mod damage;
mod flight;
mod outage;
mod support;

mod conformance {
    use super::support::TestFleet;
    use crate::conformance::keystore_conformance;

    keystore_conformance!(TestFleet::new());
}
