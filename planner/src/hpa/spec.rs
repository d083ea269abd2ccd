//! The settings of an HPA that determine its decisions.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

use super::{TOLERANCE, keda::Keda};
use crate::quantity;

/// An HPA with one external metric and a target per pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Hpa {
    /// The minimum of replicas.
    pub min: u32,
    /// The maximum of replicas.
    pub max: u32,
    /// `averageValue` in thousandths.
    pub target_milli: i64,
    /// The controller's tolerance, for a direction without a tolerance of its own.
    pub tolerance: f64,
    /// The `behavior` block; `None`: the rules from before Kubernetes had `behavior`.
    pub behavior: Option<Behavior>,
    /// What KEDA does beside its HPA; `None` for an HPA without KEDA.
    pub keda: Option<Keda>,
}

/// The rules of both directions, as in a manifest's `behavior` block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behavior {
    /// The rules for adding replicas.
    #[serde(rename = "scaleUp")]
    pub up: Rules,
    /// The rules for removing replicas.
    #[serde(rename = "scaleDown")]
    pub down: Rules,
}

/// The rules of one direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Stabilisation window in seconds.
    #[serde(rename = "stabilizationWindowSeconds")]
    pub window_s: u32,
    /// The limits on the speed of a change.
    pub policies: Vec<Policy>,
    /// Which policy applies.
    #[serde(rename = "selectPolicy")]
    pub select: Select,
    /// The direction's own tolerance (Kubernetes 1.35 and later).
    #[serde(default, skip_serializing, deserialize_with = "thousandths")]
    pub tolerance: Option<f64>,
}

/// A limit on the change within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whether `value` counts pods or percent.
    #[serde(rename = "type")]
    pub kind: PolicyKind,
    /// The largest change, in pods or percent.
    pub value: u32,
    /// Length of the period in seconds.
    #[serde(rename = "periodSeconds")]
    pub period_s: u32,
}

/// The unit of a policy's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyKind {
    /// Pods.
    Pods,
    /// Percent of the pods at the start of the period.
    Percent,
}

/// Which of several policies applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Select {
    /// The policy that allows the largest change.
    Max,
    /// The policy that allows the smallest change.
    Min,
    /// No policy: the direction is disabled.
    Disabled,
}

impl Policy {
    pub(super) fn period_ms(&self) -> u64 {
        u64::from(self.period_s) * 1000
    }
}

impl Default for Behavior {
    /// The meaning of an empty `behavior` block.
    fn default() -> Self {
        let policy = |kind, value| Policy {
            kind,
            value,
            period_s: 15,
        };
        let rules = |window_s, policies| Rules {
            window_s,
            policies,
            select: Select::Max,
            tolerance: None,
        };
        let (four, all) = (
            policy(PolicyKind::Pods, 4),
            policy(PolicyKind::Percent, 100),
        );
        Self {
            up: rules(0, vec![four, all]),
            down: rules(300, vec![all]),
        }
    }
}

impl Behavior {
    /// Reads a `behavior` block; Kubernetes' defaults replace missing fields.
    pub(crate) fn from_block(block: &Value) -> serde_json::Result<Self> {
        let mut all = serde_json::to_value(Self::default())?;
        overlay(&mut all, block);
        serde_json::from_value(all)
    }
}

/// Replaces the values in `under` by those of `block`, except null values.
fn overlay(under: &mut Value, block: &Value) {
    match (under, block) {
        (_, Value::Null) => {}
        (Value::Object(under), Value::Object(block)) => {
            for (name, said) in block {
                overlay(under.entry(name).or_insert(Value::Null), said);
            }
        }
        (under, said) => *under = said.clone(),
    }
}

/// Reads a Kubernetes quantity as a number.
fn thousandths<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    let milli = text.map(|text| quantity::milli(&text).map_err(D::Error::custom));
    Ok(milli.transpose()?.map(|milli| milli as f64 / 1000.0))
}

impl Hpa {
    /// Returns the tolerances up and down.
    pub(super) fn tolerances(&self) -> (f64, f64) {
        let of = |rules: fn(&Behavior) -> &Rules| {
            let own = self.behavior.as_ref().and_then(|b| rules(b).tolerance);
            own.unwrap_or(self.tolerance)
        };
        (of(|b| &b.up), of(|b| &b.down))
    }

    /// Returns the windows up and down in milliseconds.
    pub(super) fn windows_ms(&self) -> (u64, u64) {
        let (up, down) = match &self.behavior {
            Some(behavior) => (behavior.up.window_s, behavior.down.window_s),
            None => (0, 300),
        };
        (u64::from(up) * 1000, u64::from(down) * 1000)
    }

    /// Returns a copy with another maximum of replicas.
    pub(crate) fn with_max(&self, max: u32) -> Self {
        Self {
            min: self.min.min(max),
            max,
            ..self.clone()
        }
    }

    /// Returns a copy with another stabilisation window for scaling down, in seconds.
    pub(crate) fn with_down_window(&self, window_s: u32) -> Self {
        let mut hpa = self.clone();
        hpa.behavior.get_or_insert_default().down.window_s = window_s;
        hpa
    }
}

impl Default for Hpa {
    /// 1 to 32 pods, a target of one job per pod, Kubernetes' defaults for the rest.
    fn default() -> Self {
        Self {
            min: 1,
            max: 32,
            target_milli: 1000,
            tolerance: TOLERANCE,
            behavior: None,
            keda: None,
        }
    }
}
