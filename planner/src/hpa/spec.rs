//! The part of an HPA that decides.

use serde::Deserialize;

use super::{TOLERANCE, keda::Keda};

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

/// Both directions.
#[derive(Debug, Clone, PartialEq)]
pub struct Behavior {
    /// More replicas.
    pub up: Rules,
    /// Fewer replicas.
    pub down: Rules,
}

/// One direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Stabilisation window in milliseconds.
    pub window_ms: u64,
    /// How fast.
    pub policies: Vec<Policy>,
    /// Which policy counts.
    pub select: Select,
    /// A tolerance of this direction's own (Kubernetes 1.35 and later).
    pub tolerance: Option<f64>,
}

/// So much change within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Pods or percent.
    pub kind: PolicyKind,
    /// How many.
    pub value: u32,
    /// Within how many milliseconds.
    pub period_ms: u64,
}

/// What a policy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum PolicyKind {
    /// Pods.
    Pods,
    /// Percent of the pods at the start of the period.
    Percent,
}

/// Which of the policies counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Select {
    /// The one that allows the largest change.
    Max,
    /// The one that allows the smallest change.
    Min,
    /// None: this direction is off.
    Disabled,
}

impl Default for Behavior {
    /// What an empty `behavior` block means.
    fn default() -> Self {
        let policy = |kind, value| Policy {
            kind,
            value,
            period_ms: 15_000,
        };
        let rules = |window_ms, policies| Rules {
            window_ms,
            policies,
            select: Select::Max,
            tolerance: None,
        };
        Self {
            up: rules(
                0,
                vec![
                    policy(PolicyKind::Pods, 4),
                    policy(PolicyKind::Percent, 100),
                ],
            ),
            down: rules(300_000, vec![policy(PolicyKind::Percent, 100)]),
        }
    }
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
        match &self.behavior {
            Some(behavior) => (behavior.up.window_ms, behavior.down.window_ms),
            None => (0, 300_000),
        }
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
    pub(crate) fn with_down_window(&self, window_ms: u64) -> Self {
        let mut hpa = self.clone();
        hpa.behavior.get_or_insert_default().down.window_ms = window_ms;
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
