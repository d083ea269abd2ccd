//! The part of an HPA that decides.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

use super::{TOLERANCE, keda::Keda};
use crate::quantity;

/// An HPA with one external metric and a target per pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Hpa {
    /// The fewest replicas.
    pub min: u32,
    /// The most replicas.
    pub max: u32,
    /// `averageValue` in thousandths.
    pub target_milli: i64,
    /// The controller's tolerance, where a direction has none of its own.
    pub tolerance: f64,
    /// How fast; without it the rules of the time before `behavior` hold.
    pub behavior: Option<Behavior>,
    /// What KEDA does beside its HPA; `None` for an HPA that stands alone.
    pub keda: Option<Keda>,
}

/// Both directions, as in a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behavior {
    /// More replicas.
    #[serde(rename = "scaleUp")]
    pub up: Rules,
    /// Fewer replicas.
    #[serde(rename = "scaleDown")]
    pub down: Rules,
}

/// One direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Stabilisation window in seconds.
    #[serde(rename = "stabilizationWindowSeconds")]
    pub window_s: u32,
    /// How fast.
    pub policies: Vec<Policy>,
    /// Which policy counts.
    #[serde(rename = "selectPolicy")]
    pub select: Select,
    /// A tolerance of this direction's own (Kubernetes 1.35 and later).
    #[serde(default, skip_serializing, deserialize_with = "thousandths")]
    pub tolerance: Option<f64>,
}

/// So much change within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Pods or percent.
    #[serde(rename = "type")]
    pub kind: PolicyKind,
    /// How many.
    pub value: u32,
    /// Within how many seconds.
    #[serde(rename = "periodSeconds")]
    pub period_s: u32,
}

/// What a policy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyKind {
    /// Pods.
    Pods,
    /// Percent of the pods at the start of the period.
    Percent,
}

/// Which of the policies counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Select {
    /// The one that allows the largest change.
    Max,
    /// The one that allows the smallest change.
    Min,
    /// None: this direction is off.
    Disabled,
}

impl Policy {
    pub(super) fn period_ms(&self) -> u64 {
        u64::from(self.period_s) * 1000
    }
}

impl Default for Behavior {
    /// What an empty `behavior` block means.
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
    /// A `behavior` block, with Kubernetes' defaults where it says nothing.
    pub(crate) fn from_block(block: &Value) -> serde_json::Result<Self> {
        let mut all = serde_json::to_value(Self::default())?;
        overlay(&mut all, block);
        serde_json::from_value(all)
    }
}

/// Puts what `block` says in the place of `under`; null says nothing.
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

/// A quantity as a number.
fn thousandths<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    let milli = text.map(|text| quantity::milli(&text).map_err(D::Error::custom));
    Ok(milli.transpose()?.map(|milli| milli as f64 / 1000.0))
}

impl Hpa {
    /// Tolerances up and down.
    pub(super) fn tolerances(&self) -> (f64, f64) {
        let of = |rules: fn(&Behavior) -> &Rules| {
            let own = self.behavior.as_ref().and_then(|b| rules(b).tolerance);
            own.unwrap_or(self.tolerance)
        };
        (of(|b| &b.up), of(|b| &b.down))
    }

    /// Windows up and down in milliseconds.
    pub(super) fn windows_ms(&self) -> (u64, u64) {
        let (up, down) = match &self.behavior {
            Some(behavior) => (behavior.up.window_s, behavior.down.window_s),
            None => (0, 300),
        };
        (u64::from(up) * 1000, u64::from(down) * 1000)
    }

    /// The same rules for another largest fleet.
    pub(crate) fn with_max(&self, max: u32) -> Self {
        Self {
            min: self.min.min(max),
            max,
            ..self.clone()
        }
    }

    /// The same with other windows for scaling down.
    pub(crate) fn with_down_window(&self, window_s: u32) -> Self {
        let mut hpa = self.clone();
        hpa.behavior.get_or_insert_default().down.window_s = window_s;
        hpa
    }
}

impl Default for Hpa {
    /// One to 32 pods, a job for each, Kubernetes' defaults for the rest.
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
