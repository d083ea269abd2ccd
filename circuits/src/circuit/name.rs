//! Circuits by name.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Circuit;
use crate::root_rollup::MAX_INNERS;
use crate::statement::StatementKind;
use crate::suite::UnknownSuite;
use crate::tx_rollup::MAX_TXS;

/// The name is not that of a circuit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnknownCircuit {
    /// Not of a known form.
    #[error(
        "unknown circuit {0:?}: expected {forms}, for at most {MAX_TXS} txs and {MAX_INNERS} inners",
        forms = StatementKind::forms().join(", ")
    )]
    Form(String),
    /// Not of a known suite.
    #[error(transparent)]
    Suite(#[from] UnknownSuite),
}

impl fmt::Display for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.statement.facts();
        write!(f, "{}/{}", facts.name, self.suite)?;
        facts.sizes.iter().try_for_each(|size| write!(f, "/{size}"))
    }
}

impl FromStr for Circuit {
    type Err = UnknownCircuit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownCircuit::Form(text.to_owned());
        let mut parts = text.split('/');
        let (Some(name), Some(suite)) = (parts.next(), parts.next()) else {
            return Err(unknown());
        };
        let sizes: Option<Vec<u32>> = parts.map(|size| size.parse().ok()).collect();
        let statement = sizes.and_then(|sizes| StatementKind::from_parts(name, &sizes));
        let circuit = Self {
            statement: statement.ok_or_else(unknown)?,
            suite: suite.parse()?,
        };
        // `01` is not another way to write 1.
        if circuit.to_string() == text && circuit.statement.exists_in(circuit.suite) {
            Ok(circuit)
        } else {
            Err(unknown())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &str = "claim/poseidon claim/pedersen join-split/poseidon account/poseidon \
        tx-rollup/poseidon/1 tx-rollup/pedersen/28 tx-segment/poseidon/2/5 \
        tx-segment/pedersen/12/28 tx-nullifiers/pedersen/56 tx-notes/poseidon/32 \
        root-rollup/poseidon/1/1 root-rollup/pedersen/32/32 root-rollup/pedersen/3/2";

    const NO_NAMES: &str = "claim claim/mimc claim/poseidon/1 tx-rollup/poseidon \
        tx-rollup/poseidon/0 tx-rollup/poseidon/29 tx-rollup/poseidon/4294967295 \
        tx-rollup/poseidon/01 tx-segment/poseidon/0/2 tx-segment/poseidon/3/2 \
        tx-segment/poseidon/1/29 tx-segment/poseidon/2 tx-nullifiers/pedersen/57 \
        tx-notes/poseidon/3 tx-notes/poseidon/64 join-split/pedersen account/pedersen \
        join-split/poseidon/1 root-rollup/poseidon/1 root-rollup/poseidon/0/1 \
        root-rollup/poseidon/33/1 root-rollup/poseidon/1/3 root-rollup/poseidon/1/64 \
        root-rollup/poseidon/1/4294967295 root-rollup/poseidon/1/+1";

    #[test]
    fn names_round_trip() {
        for name in NAMES.split(' ') {
            assert_eq!(name.parse::<Circuit>().unwrap().to_string(), name);
        }
        for name in NO_NAMES.split(' ').chain([""]) {
            assert!(name.parse::<Circuit>().is_err(), "{name:?}");
        }
    }
}
