//! Reads an HPA from its Kubernetes manifest: a `HorizontalPodAutoscaler` of
//! `autoscaling/v2`, or a `ScaledObject` of KEDA.
//!
//! Unknown fields are errors: the planner would ignore a misspelt field, and
//! the cluster would behave differently from the simulation.

use serde::Deserialize;
use serde_json::Value;

use super::{Behavior, Fallback, Hpa, Keda, TOLERANCE};
use crate::quantity::{self, QuantityError};

/// The largest accepted manifest, in bytes.
const MANIFEST_BYTES: usize = 4 << 20;

/// Why a manifest has no HPA that the planner can simulate.
#[derive(Debug, thiserror::Error)]
pub enum HpaManifestError {
    /// Not YAML, or longer than 4 MiB.
    #[error("is not valid YAML: {0}")]
    Yaml(String),
    /// The manifest has no HPA, or more than one.
    #[error("holds {0} HorizontalPodAutoscalers and ScaledObjects, must hold one")]
    Count(usize),
    /// A field is missing, unknown, of another type, or has an unsupported value.
    #[error("{kind} {name}: {why}")]
    Field {
        /// The object's kind.
        kind: String,
        /// The object's name.
        name: String,
        /// What is wrong with the field.
        why: FieldError,
    },
}

/// What is wrong with a field of an HPA.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// Missing, unknown or of another type.
    #[error(transparent)]
    Serde(#[from] serde_json::Error),
    /// The value is not a Kubernetes quantity.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    /// The planner does not support the value or the kind of metric.
    #[error("{0}")]
    Value(String),
}

impl Hpa {
    /// Reads the only HPA of a manifest, which may also contain other objects.
    ///
    /// # Errors
    /// Fails for no or several HPAs, unknown fields, a minimum above the maximum,
    /// and metrics other than one external metric with an `averageValue`.
    pub fn from_manifest(yaml: &str) -> Result<Self, HpaManifestError> {
        if yaml.len() > MANIFEST_BYTES {
            return Err(HpaManifestError::Yaml("longer than 4 MiB".to_owned()));
        }
        let mut ours: Vec<Value> = serde_saphyr::from_multiple(yaml)
            .map_err(|error| HpaManifestError::Yaml(error.to_string()))?;
        ours.retain(|object| matches!(kind(object), "HorizontalPodAutoscaler" | "ScaledObject"));
        let [object] = &ours[..] else {
            return Err(HpaManifestError::Count(ours.len()));
        };
        let read = match kind(object) {
            "ScaledObject" => scaled_object(object),
            _ => horizontal(object),
        };
        let name = object["metadata"]["name"].as_str().unwrap_or("?");
        read.and_then(checked)
            .map_err(|why| HpaManifestError::Field {
                kind: kind(object).to_owned(),
                name: name.to_owned(),
                why,
            })
    }
}

fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

fn checked(hpa: Hpa) -> Result<Hpa, FieldError> {
    let (min, max) = (hpa.min, hpa.max);
    match hpa.target_milli {
        ..=0 => value("the target must be positive"),
        _ if !(1..=1000).contains(&max) => value("the maximum of replicas must be 1 to 1000"),
        _ if min > max => value(format!("min {min} is more than max {max}")),
        _ => Ok(hpa),
    }
}

fn spec<T: for<'de> Deserialize<'de>>(object: &Value) -> Result<T, FieldError> {
    Ok(serde_json::from_value(object["spec"].clone())?)
}

fn value<T>(why: impl Into<String>) -> Result<T, FieldError> {
    Err(FieldError::Value(why.into()))
}

fn one<T>(what: &'static str, mut all: Vec<T>) -> Result<T, FieldError> {
    match (all.len(), all.pop()) {
        (1, Some(one)) => Ok(one),
        (count, _) => value(format!("has {count} {what}, must have one")),
    }
}

fn horizontal(object: &Value) -> Result<Hpa, FieldError> {
    let spec: HpaSpec = spec(object)?;
    let metric = one("metrics", spec.metrics)?;
    let target = match metric.external {
        Some(external) if metric.kind == "External" => external.target,
        _ => return value(format!("metric of type {}, must be External", metric.kind)),
    };
    match target.average_value {
        Some(text) if target.kind == "AverageValue" => Ok(Hpa {
            min: spec.min_replicas.unwrap_or(1),
            max: spec.max_replicas,
            target_milli: quantity::milli(&text)?,
            tolerance: TOLERANCE,
            behavior: behavior(spec.behavior)?,
            keda: None,
        }),
        _ => value("the target must be an averageValue of type AverageValue"),
    }
}

fn scaled_object(object: &Value) -> Result<Hpa, FieldError> {
    let spec: ScaledSpec = spec(object)?;
    let trigger = one("triggers", spec.triggers)?;
    let value = trigger["metadata"]["value"].as_str().unwrap_or_default();
    let min = spec.min_replica_count.unwrap_or(0);
    let cooldown = spec.cooldown_period.unwrap_or(300);
    let fallback = spec.fallback.map(|fallback| Fallback {
        replicas: fallback.replicas,
        keep_higher: fallback.behavior.as_deref() == Some("currentReplicasIfHigher"),
    });
    let advanced = spec.advanced.unwrap_or_default();
    let config = advanced
        .horizontal_pod_autoscaler_config
        .unwrap_or_default();
    Ok(Hpa {
        min: min.max(1),
        max: spec.max_replica_count.unwrap_or(100),
        target_milli: quantity::milli(value)?,
        tolerance: TOLERANCE,
        behavior: behavior(config.behavior)?,
        keda: Some(Keda {
            to_zero_after_ms: (min == 0).then_some(u64::from(cooldown) * 1000),
            fallback,
        }),
    })
}

fn behavior(block: Option<Value>) -> serde_json::Result<Option<Behavior>> {
    block.map(|block| Behavior::from_block(&block)).transpose()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HpaSpec {
    #[serde(rename = "scaleTargetRef")]
    _scale_target_ref: Value,
    min_replicas: Option<u32>,
    max_replicas: u32,
    metrics: Vec<Metric>,
    behavior: Option<Value>,
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

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advanced {
    horizontal_pod_autoscaler_config: Option<HpaConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HpaConfig {
    behavior: Option<Value>,
}
