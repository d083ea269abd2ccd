//! An HPA from the manifest that is applied: a `HorizontalPodAutoscaler` of
//! `autoscaling/v2`, or a `ScaledObject` of KEDA.
//!
//! Unknown fields are errors: a misspelt field would be ignored by the planner
//! and mean something else to the cluster.

use serde::Deserialize;
use serde_json::Value;

use super::{Behavior, Fallback, Hpa, Keda, Policy, PolicyKind, Rules, Select, TOLERANCE};
use crate::quantity::{self, QuantityError};

/// The largest manifest that is read, in bytes.
const MANIFEST_BYTES: usize = 4 << 20;

/// A manifest without an HPA that can be simulated.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not YAML, or longer than 4 MiB.
    #[error("is no YAML: {0}")]
    Yaml(String),
    /// No HPA in it, or more than one.
    #[error("holds {0} HorizontalPodAutoscalers and ScaledObjects, must hold one")]
    Count(usize),
    /// A field that is missing, unknown or of another type.
    #[error("{kind} {name}: {why}")]
    Field {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What is wrong.
        why: FieldError,
    },
}

/// What is wrong with a field of an HPA.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// Missing, unknown or of another type.
    #[error(transparent)]
    Serde(#[from] serde_json::Error),
    /// A quantity that cannot be read.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    /// A target of zero or less.
    #[error("the target must be positive")]
    Target,
    /// A largest number of replicas outside 1 to 1000.
    #[error("the most replicas must be 1 to 1000")]
    Most,
    /// The smallest number of replicas exceeds the largest.
    #[error("min {min} is more than max {max}")]
    Order {
        /// The smallest number of replicas.
        min: u32,
        /// The largest.
        max: u32,
    },
    /// Another number of metrics or triggers than one.
    #[error("has {count} {what}, must have one")]
    Count {
        /// `metrics` or `triggers`.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
    /// A metric that is not external.
    #[error("metric of type {0}, must be External")]
    Metric(String),
    /// A target that is no `averageValue`.
    #[error("the target must be an averageValue of type AverageValue")]
    TargetKind,
}

impl Hpa {
    /// Reads the one HPA of a manifest, which may hold other objects as well.
    ///
    /// # Errors
    /// No or several HPAs, unknown fields, limits that contradict one another,
    /// and metrics other than one external metric with an `averageValue`.
    pub fn from_manifest(yaml: &str) -> Result<Self, ManifestError> {
        if yaml.len() > MANIFEST_BYTES {
            return Err(ManifestError::Yaml("longer than 4 MiB".to_owned()));
        }
        let objects: Vec<Value> = serde_saphyr::from_multiple(yaml)
            .map_err(|error| ManifestError::Yaml(error.to_string()))?;
        let is_one =
            |object: &Value| matches!(kind(object), "HorizontalPodAutoscaler" | "ScaledObject");
        let ours: Vec<_> = objects.into_iter().filter(is_one).collect();
        let [object] = &ours[..] else {
            return Err(ManifestError::Count(ours.len()));
        };
        let read = match kind(object) {
            "ScaledObject" => scaled_object(object),
            _ => horizontal(object),
        };
        read.and_then(checked).map_err(|why| ManifestError::Field {
            kind: kind(object).to_owned(),
            name: object["metadata"]["name"]
                .as_str()
                .unwrap_or("?")
                .to_owned(),
            why,
        })
    }
}

fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

fn checked(hpa: Hpa) -> Result<Hpa, FieldError> {
    match hpa {
        Hpa {
            target_milli: ..=0, ..
        } => Err(FieldError::Target),
        Hpa {
            max: 0 | 1_001.., ..
        } => Err(FieldError::Most),
        Hpa { min, max, .. } if min > max => Err(FieldError::Order { min, max }),
        _ => Ok(hpa),
    }
}

fn spec<T: for<'de> Deserialize<'de>>(object: &Value) -> Result<T, FieldError> {
    Ok(serde_json::from_value(object["spec"].clone())?)
}

fn horizontal(object: &Value) -> Result<Hpa, FieldError> {
    let spec: HpaSpec = spec(object)?;
    let [metric] = &spec.metrics[..] else {
        let count = spec.metrics.len();
        return Err(FieldError::Count {
            what: "metrics",
            count,
        });
    };
    let target = match metric {
        Metric {
            kind,
            external: Some(external),
        } if kind == "External" => &external.target,
        Metric { kind, .. } => return Err(FieldError::Metric(kind.clone())),
    };
    match target {
        Target {
            kind,
            average_value: Some(text),
        } if kind == "AverageValue" => Ok(Hpa {
            min: spec.min_replicas.unwrap_or(1),
            max: spec.max_replicas,
            target_milli: quantity::milli(text)?,
            tolerance: TOLERANCE,
            behavior: behavior(spec.behavior)?,
            keda: None,
        }),
        _ => Err(FieldError::TargetKind),
    }
}

fn scaled_object(object: &Value) -> Result<Hpa, FieldError> {
    let spec: ScaledSpec = spec(object)?;
    let [trigger] = &spec.triggers[..] else {
        let count = spec.triggers.len();
        return Err(FieldError::Count {
            what: "triggers",
            count,
        });
    };
    let value = trigger["metadata"]["value"].as_str().unwrap_or_default();
    let min = spec.min_replica_count.unwrap_or(0);
    let cooldown = spec.cooldown_period.unwrap_or(300);
    let fallback = spec.fallback.map(|fallback| Fallback {
        replicas: fallback.replicas,
        keep_higher: fallback.behavior.as_deref() == Some("currentReplicasIfHigher"),
    });
    let config = spec
        .advanced
        .and_then(|advanced| advanced.horizontal_pod_autoscaler_config);
    Ok(Hpa {
        min: min.max(1),
        max: spec.max_replica_count.unwrap_or(100),
        target_milli: quantity::milli(value)?,
        tolerance: TOLERANCE,
        behavior: behavior(config.and_then(|config| config.behavior))?,
        keda: Some(Keda {
            to_zero_after_ms: (min == 0).then_some(u64::from(cooldown) * 1000),
            fallback,
        }),
    })
}

/// The block with Kubernetes' defaults where it says nothing.
fn behavior(block: Option<BehaviorBlock>) -> Result<Option<Behavior>, FieldError> {
    let Some(block) = block else { return Ok(None) };
    let defaults = Behavior::default();
    Ok(Some(Behavior {
        up: rules(block.scale_up, defaults.up)?,
        down: rules(block.scale_down, defaults.down)?,
    }))
}

fn rules(block: Option<RulesBlock>, defaults: Rules) -> Result<Rules, FieldError> {
    let Some(block) = block else {
        return Ok(defaults);
    };
    let policy = |policy: PolicyBlock| Policy {
        kind: policy.kind,
        value: policy.value,
        period_ms: u64::from(policy.period_seconds) * 1000,
    };
    let policies = block
        .policies
        .map(|all| all.into_iter().map(policy).collect());
    let tolerance = block
        .tolerance
        .map(|text| quantity::milli(&text))
        .transpose();
    Ok(Rules {
        window_ms: block
            .stabilization_window_seconds
            .map_or(defaults.window_ms, |s| u64::from(s) * 1000),
        policies: policies.unwrap_or(defaults.policies),
        select: block.select_policy.unwrap_or(defaults.select),
        tolerance: tolerance?.map(|milli| milli as f64 / 1000.0),
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HpaSpec {
    #[serde(rename = "scaleTargetRef")]
    _scale_target_ref: Value,
    min_replicas: Option<u32>,
    max_replicas: u32,
    metrics: Vec<Metric>,
    behavior: Option<BehaviorBlock>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    #[serde(rename = "type")]
    kind: String,
    external: Option<External>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct External {
    #[serde(rename = "metric")]
    _metric: Value,
    target: Target,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Target {
    #[serde(rename = "type")]
    kind: String,
    average_value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BehaviorBlock {
    scale_up: Option<RulesBlock>,
    scale_down: Option<RulesBlock>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RulesBlock {
    stabilization_window_seconds: Option<u32>,
    policies: Option<Vec<PolicyBlock>>,
    select_policy: Option<Select>,
    tolerance: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PolicyBlock {
    #[serde(rename = "type")]
    kind: PolicyKind,
    value: u32,
    period_seconds: u32,
}

impl BehaviorBlock {
    /// With Kubernetes' defaults where it says nothing.
    pub(crate) fn with_defaults(self) -> Result<Behavior, FieldError> {
        Ok(behavior(Some(self))?.unwrap_or_default())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScaledSpec {
    #[serde(rename = "scaleTargetRef")]
    _scale_target_ref: Value,
    #[serde(rename = "pollingInterval")]
    _polling_interval: Option<u32>,
    cooldown_period: Option<u32>,
    min_replica_count: Option<u32>,
    max_replica_count: Option<u32>,
    fallback: Option<FallbackBlock>,
    advanced: Option<Advanced>,
    triggers: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FallbackBlock {
    #[serde(rename = "failureThreshold")]
    _failure_threshold: u32,
    replicas: u32,
    behavior: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advanced {
    horizontal_pod_autoscaler_config: Option<HpaConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HpaConfig {
    behavior: Option<BehaviorBlock>,
}
