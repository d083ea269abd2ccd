//! What an operator does. Each deed needs the token, is written down before and
//! after, and one is done at a time.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use zkwhirl_job::JobId;

use super::{Inner, routes::Refusal, views::Deed};
use zkwhirl_bridge::OperatorError;
use zkwhirl_broker_adapter::Control;
use zkwhirl_job::clock;
use zkwhirl_ledger::JobState;

/// Jobs or slots that one action may be about.
pub const MOST: usize = 500;
/// How long an action is waited for; it goes on if it takes longer.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest reason and the longest name of an operator.
const REASON: usize = 500;
const NAME: usize = 64;
/// Digits of a job's id that a rejection must repeat.
const CONFIRM: usize = 4;

/// Who acts, as they call themselves.
const OPERATOR: &str = "x-zkwhirl-operator";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Dead letters go back to the queue.
    Replay,
    /// Jobs are rejected: **a NACK stops Falafel's rollup production**.
    Reject,
    /// Running attempts are called off; the jobs go back to the queue.
    Cancel,
    /// Workers claim no more.
    Quiet,
    /// Workers claim again.
    Loud,
    /// Workers finish what they have and leave.
    Drain,
}

/// An action that was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Action {
    pub(super) act: Act,
    /// Jobs by their ids or the beginnings of these, or workers by their names.
    pub(super) on: Vec<String>,
    /// Why, for a rejection.
    #[serde(default)]
    pub(super) reason: String,
    /// The last four digits of the job's id, for a rejection.
    #[serde(default)]
    pub(super) confirm: String,
}

/// What became of each.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Acted {
    /// The job or the worker.
    pub on: String,
    /// Whether it was done.
    pub done: bool,
    /// How it ended, in words.
    pub text: String,
}

impl Act {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Quiet => "quiet",
            Self::Loud => "loud",
            Self::Drain => "drain",
        }
    }
}

impl Inner {
    /// Refuses whoever does not show the token.
    pub(super) fn allow(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        let Some(token) = &self.config.token else {
            return Err(Refusal {
                status: StatusCode::FORBIDDEN,
                why: "this console is read-only: start the bridge with ZKWHIRL_OPERATOR_TOKEN \
                      to let operators act"
                    .to_owned(),
            });
        };
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let shown = text(header::AUTHORIZATION.as_str());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer "));
        if !shown.is_some_and(|shown| token.is(shown)) {
            return Err(Refusal {
                status: StatusCode::UNAUTHORIZED,
                why: match shown {
                    None => "acting needs the operator's token: none was shown",
                    Some(_) => "this is not the operator's token",
                }
                .to_owned(),
            });
        }
        let name = text(OPERATOR).unwrap_or("operator");
        Ok(name.chars().take(NAME).collect())
    }

    /// Does what is asked, one after the other; an action is not given up in
    /// the middle.
    pub(super) async fn act(
        self: &Arc<Self>,
        who: String,
        action: Action,
    ) -> Result<Vec<Acted>, Refusal> {
        if action.on.is_empty() || action.on.len() > MOST {
            let count = action.on.len();
            let why = format!("an action is about 1 to {MOST} jobs or workers, not {count}");
            return Err(Refusal::bad(why));
        }
        if action.act == Act::Reject {
            check_rejection(&action)?;
        }
        let console = self.clone();
        let doing = tokio::spawn(async move { console.act_on_all(&who, &action).await });
        match tokio::time::timeout(PATIENCE, doing).await {
            Ok(Ok(acted)) => Ok(acted),
            Ok(Err(error)) => Err(Refusal::away(format!("the action ended: {error}"))),
            Err(_) => Err(Refusal::away(format!(
                "not done within {PATIENCE:?}: it goes on, see the audit log"
            ))),
        }
    }

    async fn act_on_all(self: &Arc<Self>, who: &str, action: &Action) -> Vec<Acted> {
        let mut acted = Vec::with_capacity(action.on.len());
        let Ok(_turn) = self.desk.acquire().await else {
            return acted;
        };
        for on in &action.on {
            let deed = |on: &str, text: &str, done| Deed {
                at_ms: clock::now_ms(),
                who: who.to_owned(),
                what: action.act.name().to_owned(),
                on: on.to_owned(),
                text: text.to_owned(),
                done,
            };
            self.audit.write(deed(on, &action.reason, false));
            let (on, outcome) = self.act_on(action, on).await;
            let done = outcome.is_ok();
            let text = outcome.unwrap_or_else(|why| why);
            self.audit.write(deed(&on, &text, done));
            acted.push(Acted { on, done, text });
        }
        self.forget_listing().await;
        acted
    }

    /// The whole name of what was acted on, and how it ended.
    async fn act_on(&self, action: &Action, on: &str) -> (String, Result<String, String>) {
        let worker = on.to_owned();
        let word = match action.act {
            Act::Quiet => Control::Quiet {
                worker,
                quiet: true,
            },
            Act::Loud => Control::Quiet {
                worker,
                quiet: false,
            },
            Act::Drain => Control::Drain { worker },
            Act::Replay | Act::Reject | Act::Cancel => {
                return match self.named(on).await {
                    Ok(job) => (job.to_string(), self.act_on_job(action, job).await),
                    Err(refusal) => (worker, Err(refusal.why)),
                };
            }
        };
        let outcome = self.tell_worker(on, &word).await;
        (on.to_owned(), outcome)
    }

    async fn tell_worker(&self, worker: &str, word: &Control) -> Result<String, String> {
        let slots = self.config.bridge.ledger().slots().await;
        let slots = slots.map_err(|error| error.to_string())?;
        let meant = |slot: &str| {
            let rest = slot.strip_prefix(worker);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let meant = slots.iter().filter(|slot| meant(&slot.slot)).count();
        if meant == 0 {
            return Err(format!("no worker {worker} is there"));
        }
        let told = self.config.bridge.broker().send_control(word).await;
        told.map_err(|error| error.to_string())?;
        Ok(match meant {
            1 => "told".to_owned(),
            slots => format!("{slots} slots told"),
        })
    }

    async fn act_on_job(&self, action: &Action, job: JobId) -> Result<String, String> {
        let bridge = &self.config.bridge;
        let words = |error: OperatorError| error.to_string();
        match action.act {
            Act::Replay => {
                bridge.replay(job).await.map_err(words)?;
                Ok("back in the queue as attempt 1".to_owned())
            }
            Act::Reject => {
                if !job.to_string().ends_with(&action.confirm) {
                    let why = format!("the id of job {} does not end so", job.short());
                    return Err(why);
                }
                let tickets = bridge.reject(job, &action.reason).await.map_err(words)?;
                Ok(format!("rejected: a NACK goes to {tickets} tickets"))
            }
            _ => {
                let record = bridge.ledger().job(job).await;
                let record = record.map_err(|error| error.to_string())?;
                let running = [JobState::Claimed, JobState::Proving];
                match record {
                    Some(record) if running.contains(&record.state) => {}
                    Some(record) => {
                        let state = record.state;
                        let why = format!("job {} is {state}, no attempt runs", job.short());
                        return Err(why);
                    }
                    None => return Err(format!("no job {job} is known")),
                }
                let told = bridge.broker().send_control(&Control::Cancel { job }).await;
                told.map_err(|error| error.to_string())?;
                Ok("its worker was told to hand it back".to_owned())
            }
        }
    }
}

fn check_rejection(action: &Action) -> Result<(), Refusal> {
    let reason = action.reason.trim();
    if reason.is_empty() || reason.len() > REASON {
        let why = format!("a rejection needs a reason of 1 to {REASON} bytes: Falafel logs it");
        return Err(Refusal::bad(why));
    }
    if action.on.len() != 1 || action.confirm.len() != CONFIRM {
        let why = "a rejection is about one job and repeats the last four digits of its id: \
                   its NACK stops Falafel's rollup production";
        return Err(Refusal::bad(why.to_owned()));
    }
    Ok(())
}
