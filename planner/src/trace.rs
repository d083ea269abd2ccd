//! Work over time: described in a few numbers, or recorded in a file.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The most rollups of a trace.
pub(crate) const MAX_ROLLUPS: usize = 20_000;
/// The most jobs of one phase: 896 claims are the largest real one.
pub(crate) const MAX_JOBS: usize = 1024;
/// The largest trace file, in bytes.
pub const TRACE_BYTES: usize = 16 << 20;
/// The longest job and the longest trace, in seconds: 31 days.
const LONGEST_S: f64 = 31.0 * 86_400.0;

/// Rollups as they are asked for, and what goes wrong meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// What it shows, in a sentence.
    #[serde(default)]
    pub about: String,
    /// In order of their arrival.
    pub rollups: Vec<Rollup>,
    /// Machines that are taken away.
    #[serde(default)]
    pub lost: Vec<Lost>,
    /// Times without a source of the metric.
    #[serde(default)]
    pub blind: Vec<Blind>,
    /// At least so long is simulated, in seconds.
    #[serde(default)]
    pub until_s: f64,
}

/// One rollup: each phase waits for all jobs of the one before.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rollup {
    /// When Falafel wants it, in seconds.
    pub at_s: f64,
    /// Claims, by how long each proves, in seconds.
    #[serde(default)]
    pub claims_s: Vec<f64>,
    /// Inner rollups.
    pub inners_s: Vec<f64>,
    /// The root rollup.
    #[serde(default)]
    pub root_s: f64,
    /// The root verifier.
    #[serde(default)]
    pub verifier_s: f64,
}

/// Pods that end without a warning.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    /// When, in seconds.
    pub at_s: f64,
    /// How many; busy ones first.
    pub pods: u32,
}

/// A source of the metric that is away.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Blind {
    /// Which, from 0: the bridge's own count, then the broker's.
    pub source: u8,
    /// From when, in seconds.
    pub from_s: f64,
    /// Until when, in seconds.
    pub to_s: f64,
}

/// A trace that cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// Not such JSON.
    #[error("is no trace: {0}")]
    Json(#[from] serde_json::Error),
    /// A number that makes no sense.
    #[error("{0}")]
    Number(String),
}

impl Trace {
    /// Reads a trace.
    ///
    /// # Errors
    /// Other JSON, too many rollups or jobs, times that are negative, longer
    /// than 31 days, or go back.
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
                return number(format!("rollup {place} arrives before the one before it"));
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
            seconds("an end of blind", end)?;
        }
        Ok(())
    }
}

/// Work in a few numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Description {
    /// Rollups that Falafel wants each hour, evenly spread.
    pub rollups_per_hour: f64,
    /// Claims of each.
    pub claims: u32,
    /// Seconds that a claim proves.
    pub claim_s: f64,
    /// Inner rollups of each.
    pub inners: u32,
    /// Seconds that an inner rollup proves.
    pub inner_s: f64,
    /// Each job takes up to this part more or less.
    pub jitter: f64,
    /// Seconds of the root rollup.
    pub root_s: f64,
    /// Seconds of the root verifier.
    pub verifier_s: f64,
    /// For so many hours.
    pub hours: f64,
    /// Equal seeds make equal traces.
    pub seed: u64,
}

impl Description {
    /// The trace that is described.
    ///
    /// # Errors
    /// Numbers that make no sense.
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
        assert_eq!(back, "rollup 1 arrives before the one before it");
        assert!(refused(r#"{"rollups":[],"lots":[]}"#).contains("unknown field `lots`"));
    }
}
