//! Replays recorded decisions of Kubernetes' own code.
//!
//! A file of golden scenarios is a JSON array; each has an HPA and steps
//! `[seconds, metric in thousandths, status.replicas, decided spec.replicas]`.
//! `spec.replicas` is 1 before the first step; later the value decided in the
//! previous step.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    hpa::{Autoscaler, Behavior, FieldError, Hpa, Observed},
    quantity,
};

/// The largest accepted file of golden scenarios, in bytes.
pub const GOLDEN_BYTES: usize = 16 << 20;

/// Why a file of golden scenarios cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// The text is not the expected JSON.
    #[error("is not a file of golden scenarios: {0}")]
    Json(#[from] serde_json::Error),
    /// A field's value is invalid.
    #[error("scenario {scenario}: {why}")]
    Field {
        /// The scenario's index in the file, from 0.
        scenario: usize,
        /// Why the value is invalid.
        why: FieldError,
    },
}

/// The result of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// Number of scenarios replayed.
    pub scenarios: usize,
    /// Number of decisions compared.
    pub decisions: usize,
    /// The replayed decisions that differ from the recorded ones.
    pub differences: Vec<Difference>,
}

/// A replayed decision that differs from the recorded one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The scenario's index in the file, from 0.
    pub scenario: usize,
    /// Time of the step in the scenario, in seconds.
    pub at_s: u64,
    /// The recorded `spec.replicas`.
    pub expected: u32,
    /// The replayed `spec.replicas`.
    pub decided: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Scenario {
    #[serde(rename = "seed")]
    _seed: u64,
    tolerance: f64,
    min: u32,
    max: u32,
    average_value: String,
    behavior: Value,
    steps: Vec<(u64, i64, u32, u32)>,
}

/// Replays a file and compares all decisions; each step starts from the recorded replicas.
///
/// # Errors
/// Fails if the text is not the expected JSON or a field's value is invalid.
pub fn replay(json: &str) -> Result<Replay, GoldenError> {
    let scenarios: Vec<Scenario> = serde_json::from_str(json)?;
    let mut replay = Replay::default();
    for (place, scenario) in scenarios.into_iter().enumerate() {
        let field = |why: FieldError| GoldenError::Field {
            scenario: place,
            why,
        };
        let target = quantity::milli(&scenario.average_value);
        let behavior = Behavior::from_block(&scenario.behavior);
        let mut autoscaler = Autoscaler::new(Hpa {
            min: scenario.min,
            max: scenario.max,
            target_milli: target.map_err(|error| field(error.into()))?,
            tolerance: scenario.tolerance,
            behavior: Some(behavior.map_err(|error| field(error.into()))?),
            keda: None,
        });
        let mut spec_replicas = 1;
        for (at_s, metric, status_replicas, expected) in scenario.steps {
            let decided = autoscaler.sync(Observed {
                now_ms: at_s.saturating_mul(1000),
                spec_replicas,
                status_replicas,
                metric_milli: Some(metric),
            });
            if decided != expected {
                replay.differences.push(Difference {
                    scenario: place,
                    at_s,
                    expected,
                    decided,
                });
            }
            replay.decisions += 1;
            spec_replicas = expected;
        }
        replay.scenarios += 1;
    }
    Ok(replay)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &str = include_str!("../../tests/vectors/golden_hpa.json");

    #[test]
    fn every_decision_of_the_original_code_is_made_again() {
        let replay = replay(GOLDEN).unwrap();
        assert_eq!((replay.scenarios, replay.decisions), (24, 3840));
        assert_eq!(replay.differences, []);
    }

    #[test]
    fn a_changed_decision_is_found() {
        let mut scenarios: serde_json::Value = serde_json::from_str(GOLDEN).unwrap();
        scenarios[3]["steps"][7][3] = 31.into();
        let found = replay(&scenarios.to_string()).unwrap().differences;
        let places = found.iter().map(|d| (d.scenario, d.at_s, d.expected));
        assert!(places.into_iter().any(|place| place == (3, 120, 31)));
    }

    #[test]
    fn another_file_is_refused() {
        assert!(replay("{}").is_err());
        assert!(replay(&GOLDEN.replace("averageValue", "averageValues")).is_err());
        let text = GOLDEN.replace("\"averageValue\":\"1\"", "\"averageValue\":\"x\"");
        assert!(matches!(replay(&text), Err(GoldenError::Field { .. })));
    }
}
