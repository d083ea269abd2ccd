//! The peak memory of a prover of the native engine.

use zkwhirl_job::Topic;
use zkwhirl_prover::native::Setting;

use super::{NativeProvers, Rollups};

/// Memory of a prover without a circuit: program, buffers, a request, a reply.
const BASE_BYTES: u64 = 64 << 20;
/// Memory per row of the domain: matrices, key and witness. Measured peaks are
/// 139 MB at 2^17, 270 MB at 2^18 and 1.54 GB (1.70 GB while the key is
/// generated) at 2^21; see docs/PERFORMANCE.md.
const ROW_BYTES: u64 = 850;

/// The largest circuit that a prover may need, and the expected peak memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peak {
    /// The circuit's name; `None`: the jobs have no native circuit.
    pub circuit: Option<String>,
    /// The circuit's number of rows (constraints).
    pub rows: u64,
    /// The expected peak of resident memory, in bytes.
    pub bytes: u64,
}

impl NativeProvers {
    /// Returns the expected peak of one prover for jobs of these topics, without
    /// circuits above the size limit, which the prover refuses. Builds every
    /// circuit to count its rows: this takes seconds for large circuits.
    pub fn peak(&self, topics: &[Topic]) -> Peak {
        let Rollups { suite, sizes } = self.rollups;
        peak_of(&Setting::new(suite, sizes, self.max_circuit_size), topics)
    }
}

fn peak_of(setting: &Setting, topics: &[Topic]) -> Peak {
    // The engine refuses a circuit that does not fit, with a better message.
    let circuits = setting.circuits().unwrap_or_default().into_iter();
    let usable = circuits
        .filter(|circuit| topics.contains(&circuit.statement.topic()))
        .map(|circuit| (circuit.num_rows() as u64, circuit.to_string()));
    let (rows, circuit) = usable.max().unzip();
    let rows = rows.unwrap_or(0);
    Peak {
        circuit,
        rows,
        bytes: peak_bytes(rows),
    }
}

fn peak_bytes(rows: u64) -> u64 {
    // Two more rows, one per public variable, rounded up to a power of two.
    let domain = (rows + 2).next_power_of_two();
    BASE_BYTES + domain * ROW_BYTES
}

#[cfg(test)]
mod tests {
    use zkwhirl_circuits::Suite;
    use zkwhirl_job::Sizes;

    use super::*;

    /// The estimate is above the peaks measured in docs/PERFORMANCE.md, by less
    /// than a third.
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

    #[test]
    fn a_worker_needs_memory_for_the_jobs_of_its_topic_only() {
        let sizes = Sizes::new(1, 2).unwrap();
        let setting = Setting::new(Suite::Poseidon, sizes, 1 << 18);
        let circuit = |topics: &[Topic]| peak_of(&setting, topics).circuit.unwrap();
        assert_eq!(circuit(&[Topic::Inner]), "tx-rollup/poseidon/1");
        assert_eq!(circuit(&[Topic::Outer]), "root-rollup/poseidon/2/1");
        let none = Setting::new(Suite::Poseidon, sizes, 2);
        assert_eq!(peak_of(&none, &[Topic::Inner, Topic::Outer]).circuit, None);
    }
}
