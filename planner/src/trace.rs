//! The work over time, described by a few numbers or recorded in a file.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The maximum of rollups in a trace.
pub(crate) const MAX_ROLLUPS: usize = 20_000;
/// The maximum of jobs in one phase; the largest real phase has 896 claims.
pub(crate) const MAX_JOBS: usize = 1024;
/// The largest accepted trace file, in bytes.
pub const TRACE_BYTES: usize = 16 << 20;
/// The upper limit of a job's duration and of a trace's length, in seconds: 31 days.
const LONGEST_S: f64 = 31.0 * 86_400.0;

/// The rollups that Falafel requests, and the failures meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// What the trace shows, in one sentence.
    #[serde(default)]
    pub about: String,
    /// The rollups in order of their arrival.
    pub rollups: Vec<Rollup>,
    /// The losses of machines.
    #[serde(default)]
    pub lost: Vec<Lost>,
    /// The periods in which a source of the metric is unreachable.
    #[serde(default)]
    pub blind: Vec<Blind>,
    /// The shortest time to simulate, in seconds.
    #[serde(default)]
    pub until_s: f64,
}

/// One rollup. Each phase waits for all jobs of the previous phase.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rollup {
    /// When Falafel requests the rollup, in seconds from the start.
    pub at_s: f64,
    /// For each claim, how long it proves, in seconds.
    #[serde(default)]
    pub claims_s: Vec<f64>,
    /// For each inner rollup, how long it proves, in seconds.
    pub inners_s: Vec<f64>,
    /// How long the root rollup proves, in seconds.
    #[serde(default)]
    pub root_s: f64,
    /// How long the root verifier proves, in seconds.
    #[serde(default)]
    pub verifier_s: f64,
}

/// A loss of pods without a warning.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    /// When the pods are lost, in seconds from the start.
    pub at_s: f64,
    /// Number of lost pods; busy pods are lost first.
    pub pods: u32,
}

/// A period in which a source of the metric is unreachable.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Blind {
    /// Index of the source: 0 is the bridge's own count, 1 the broker's.
    pub source: u8,
    /// Start of the period, in seconds.
    pub from_s: f64,
    /// End of the period, in seconds.
    pub to_s: f64,
}

/// Why a trace cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The text is not the expected JSON.
    #[error("is not a valid trace: {0}")]
    Json(#[from] serde_json::Error),
    /// A number is out of range, or rollups are out of order.
    #[error("{0}")]
    Number(String),
}

impl Trace {
    /// Reads a trace.
    ///
    /// # Errors
    /// Fails if the text is not the expected JSON, if there are too many rollups or
    /// jobs, and if times are negative, longer than 31 days, or out of order.
    pub fn from_json(json: &str) -> Result<Self, TraceError> {
        let trace: Self = serde_json::from_str(json)?;
        trace.check()?;
        Ok(trace)
    }

    fn check(&self) -> Result<(), TraceError> {
        let number = |why: String| Err(TraceError::Number(why));
        if self.rollups.is_empty() || self.rollups.len() > MAX_ROLLUPS {
            return number(format!("a trace has 1 to {MAX_ROLLUPS} rollups"));
        }
        let seconds = |what: &str, value: f64| match value {
            0.0..=LONGEST_S => Ok(()),
            _ => number(format!("{what} is {value} s, must be 0 to {LONGEST_S}")),
        };
        let mut before = 0.0;
        for (place, rollup) in self.rollups.iter().enumerate() {
            let fields: [(&str, &[f64]); 5] = [
                ("at_s", &[rollup.at_s]),
                ("claims_s", &rollup.claims_s),
                ("inners_s", &rollup.inners_s),
                ("root_s", &[rollup.root_s]),
                ("verifier_s", &[rollup.verifier_s]),
            ];
            for (field, values) in fields {
                let what = format!("{field} of rollup {place}");
                if values.len() > MAX_JOBS {
                    return number(format!("{what} has more than {MAX_JOBS} jobs"));
                }
                values.iter().try_for_each(|value| seconds(&what, *value))?;
            }
            if rollup.at_s < before {
                return number(format!("rollup {place} arrives before the previous rollup"));
            }
            before = rollup.at_s;
        }
        seconds("until_s", self.until_s)?;
        for lost in &self.lost {
            seconds("at_s of lost", lost.at_s)?;
        }
        for end in self
            .blind
            .iter()
            .flat_map(|blind| [blind.from_s, blind.to_s])
        {
            seconds("from_s or to_s of blind", end)?;
        }
        Ok(())
    }
}

/// Regular work, described by a few numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Description {
    /// Number of rollups that Falafel requests each hour, at equal intervals.
    pub rollups_per_hour: f64,
    /// Number of claims in each rollup.
    pub claims: u32,
    /// How long a claim proves, in seconds.
    pub claim_s: f64,
    /// Number of inner rollups in each rollup.
    pub inners: u32,
    /// How long an inner rollup proves, in seconds.
    pub inner_s: f64,
    /// The largest random deviation of a job's duration, as a fraction of the duration.
    pub jitter: f64,
    /// How long the root rollup proves, in seconds.
    pub root_s: f64,
    /// How long the root verifier proves, in seconds.
    pub verifier_s: f64,
    /// Length of the trace in hours.
    pub hours: f64,
    /// The seed of the durations; equal seeds give equal traces.
    pub seed: u64,
}

impl Description {
    /// Builds the trace that the description gives.
    ///
    /// # Errors
    /// Fails if a number is out of range.
    pub fn trace(&self) -> Result<Trace, TraceError> {
        let number = |why: String| Err(TraceError::Number(why));
        let count = self.rollups_per_hour * self.hours;
        if !(self.rollups_per_hour > 0.0 && count.ceil() <= MAX_ROLLUPS as f64) {
            return number(format!(
                "{} rollups an hour for {} h: must be 1 to {MAX_ROLLUPS} rollups",
                self.rollups_per_hour, self.hours
            ));
        }
        if !(0.0..1.0).contains(&self.jitter) {
            return number(format!("the jitter is {}, must be 0 to 1", self.jitter));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut around = |middle: f64| {
            let part: f64 = rng.gen_range(-1.0..=1.0);
            (middle * (1.0 + self.jitter * part)).max(0.0)
        };
        let rollups = (0..count.ceil() as usize).map(|place| Rollup {
            at_s: place as f64 * 3600.0 / self.rollups_per_hour,
            claims_s: (0..self.claims).map(|_| around(self.claim_s)).collect(),
            inners_s: (0..self.inners).map(|_| around(self.inner_s)).collect(),
            root_s: around(self.root_s),
            verifier_s: around(self.verifier_s),
        });
        let trace = Trace {
            rollups: rollups.collect(),
            until_s: self.hours * 3600.0,
            ..Trace::default()
        };
        trace.check()?;
        Ok(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_spreads_its_rollups_evenly_and_its_jobs_around_their_mean() {
        let described = Description {
            rollups_per_hour: 4.0,
            claims: 2,
            claim_s: 10.0,
            inners: 32,
            inner_s: 300.0,
            jitter: 0.1,
            hours: 24.0,
            ..Description::default()
        };
        let trace = described.trace().unwrap();
        assert_eq!(trace.rollups.len(), 96);
        assert_eq!(trace.rollups[95].at_s, 95.0 * 900.0);
        let jobs = trace.rollups.iter().flat_map(|r| r.inners_s.clone());
        let jobs: Vec<f64> = jobs.collect();
        assert!(jobs.iter().all(|job| (270.0..=330.0).contains(job)));
        let mean = jobs.iter().sum::<f64>() / jobs.len() as f64;
        assert!((mean - 300.0).abs() < 3.0, "{mean}");
    }

    #[test]
    fn traces_that_make_no_sense_are_refused_with_the_place() {
        let refused = |json: &str| Trace::from_json(json).unwrap_err().to_string();
        let none = refused(r#"{"rollups":[]}"#);
        assert_eq!(none, "a trace has 1 to 20000 rollups");
        let negative = refused(r#"{"rollups":[{"at_s":0,"inners_s":[1,-1]}]}"#);
        assert_eq!(
            negative,
            "inners_s of rollup 0 is -1 s, must be 0 to 2678400"
        );
        let back = refused(r#"{"rollups":[{"at_s":9,"inners_s":[1]},{"at_s":8,"inners_s":[1]}]}"#);
        assert_eq!(back, "rollup 1 arrives before the previous rollup");
        assert!(refused(r#"{"rollups":[],"lots":[]}"#).contains("unknown field `lots`"));
    }
}
