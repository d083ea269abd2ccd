//! What a prover of the native engine needs at its peak.

use zkwhirl_circuits::StatementKind;
use zkwhirl_job::Topic;
use zkwhirl_prover::native::Setting;

use super::{NativeProvers, Rollups};

/// A prover without a circuit: the program, its buffers, a request, a reply.
const BASE_BYTES: u64 = 64 << 20;
/// For each row of the domain: matrices, key and witness. Measured peaks are
/// 139 MB at 2^17, 270 MB at 2^18 and 1.54 GB (1.70 GB with the making of the
/// key) at 2^21; see docs/PERFORMANCE.md.
const ROW_BYTES: u64 = 850;

/// The largest circuit that a prover may be given, and its expected peak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peak {
    /// The circuit's name; `None`: the jobs have no native circuit.
    pub circuit: Option<String>,
    /// Its rows.
    pub rows: u64,
    /// Bytes of resident memory.
    pub bytes: u64,
}

impl NativeProvers {
    /// The expected peak of one prover for jobs of these topics; circuits that
    /// it refuses for their size need nothing. Counts the rows of every circuit:
    /// seconds for large ones.
    pub fn peak(&self, topics: &[Topic]) -> Peak {
        let Rollups { suite, sizes } = self.rollups;
        let setting = Setting::new(suite, sizes, self.max_circuit_size);
        // Without a way to prove an inner rollup nothing is proved at all.
        let circuits = setting.circuits().unwrap_or_default().into_iter();
        let own = circuits.filter(|circuit| topics.contains(&topic(circuit.statement)));
        let sizes = own.map(|circuit| (circuit.num_rows() as u64, circuit.to_string()));
        let (rows, circuit) = sizes.max().unzip();
        let rows = rows.unwrap_or(0);
        Peak {
            circuit,
            rows,
            bytes: peak_bytes(rows),
        }
    }
}

/// The topic of the jobs that need a circuit's key: for clients' circuits it is
/// the one that asks for their verification keys.
fn topic(statement: StatementKind) -> Topic {
    match statement {
        StatementKind::Claim
        | StatementKind::TxRollup { .. }
        | StatementKind::TxSegment { .. }
        | StatementKind::TxNullifiers { .. }
        | StatementKind::TxNotes { .. } => Topic::Inner,
        StatementKind::RootRollup(_) | StatementKind::JoinSplit | StatementKind::Account => {
            Topic::Outer
        }
    }
}

fn peak_bytes(rows: u64) -> u64 {
    BASE_BYTES + domain(rows) * ROW_BYTES
}

/// Two rows more, one for each public variable, to a power of two.
fn domain(rows: u64) -> u64 {
    (rows + 2).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use zkwhirl_circuits::Suite;
    use zkwhirl_job::Sizes;

    use super::*;

    fn provers(txs: u32, max_circuit_size: u64) -> NativeProvers {
        NativeProvers {
            rollups: Rollups {
                suite: Suite::Poseidon,
                sizes: Sizes::new(txs, 4).unwrap(),
            },
            program: "zkwhirl".into(),
            data_dir: "data".into(),
            max_circuit_size,
            allow_dev_keys: true,
            fleet: None,
            load_first: Vec::new(),
            memory_limit: None,
        }
    }

    #[test]
    fn the_largest_circuit_of_the_topics_counts() {
        let largest = |txs, limit, topics: &[Topic]| provers(txs, limit).peak(topics).circuit;
        let is = |name: &str| Some(name.to_owned());
        let (inner, outer) = (&[Topic::Inner][..], &[Topic::Outer][..]);
        let one = 1 << 18;
        assert_eq!(largest(1, one, inner), is("tx-rollup/poseidon/1"));
        assert_eq!(largest(1, one, outer), is("root-rollup/poseidon/4/1"));
        assert_eq!(largest(1, one, &Topic::ALL), is("tx-rollup/poseidon/1"));
        // A chain's pieces.
        assert_eq!(largest(2, one, inner), is("tx-segment/poseidon/1/2"));
        // What does not fit is refused at the start.
        assert_eq!(largest(1, 1 << 16, &Topic::ALL), None);
    }

    /// Rows and peaks of docs/PERFORMANCE.md, with room for a fifth to a third
    /// more.
    #[test]
    fn the_estimate_is_above_what_was_measured_and_not_far() {
        for (rows, measured) in [
            (100_005, 139_000_000),
            (253_194, 270_000_000),
            (1_621_756, 1_700_000_000),
        ] {
            let estimate = peak_bytes(rows);
            assert!(estimate > measured, "{rows}: {estimate}");
            assert!(estimate < measured * 4 / 3, "{rows}: {estimate}");
        }
    }
}
