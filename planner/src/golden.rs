//! Replays recorded decisions of Kubernetes' own code.
//!
//! A file of golden scenarios is a JSON array; each has an HPA and steps
//! `[seconds, metric in thousandths, status.replicas, decided spec.replicas]`.
//! `spec.replicas` is 1 before the first step, then what the step before
//! decided.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    hpa::{Autoscaler, Behavior, FieldError, Hpa, Observed},
    quantity,
};

/// The largest file of golden scenarios, in bytes.
pub const GOLDEN_BYTES: usize = 16 << 20;

/// A file that holds no golden scenarios.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// Not such JSON.
    #[error("holds no golden scenarios: {0}")]
    Json(#[from] serde_json::Error),
    /// A field that means nothing.
    #[error("scenario {scenario}: {why}")]
    Field {
        /// From 0.
        scenario: usize,
        /// What is wrong.
        why: FieldError,
    },
}

/// What a replay found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// Scenarios replayed.
    pub scenarios: usize,
    /// Decisions compared.
    pub decisions: usize,
    /// Decisions that differ.
    pub differences: Vec<Difference>,
}

/// A decision that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// From 0.
    pub scenario: usize,
    /// Seconds.
    pub at_s: u64,
    /// The recorded decision.
    pub expected: u32,
    /// The replayed decision.
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

/// Replays a file; every step starts from the file's own replicas.
///
/// # Errors
/// A file of another form.
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
