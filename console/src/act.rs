//! Operators' actions. Each action needs the token and is written to the audit log
//! before and after. Actions are done one at a time.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use zkwhirl_broker_adapter::Control;
use zkwhirl_job::{JobId, clock};
use zkwhirl_ledger::JobState;

use super::{refusal::Refusal, state::ConsoleState, views::AuditEntry};

/// The number of jobs or workers that one action may name, at most.
pub const MAX_TARGETS: usize = 500;
/// How long a caller waits for an action; a longer action goes on nevertheless.
const ACTION_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest reason in bytes, and the longest name of an operator in characters.
const REASON_BYTES: usize = 500;
const NAME_CHARS: usize = 64;
/// The number of last digits of a job's id that a rejection must repeat.
const CONFIRM_DIGITS: usize = 4;

/// The header with the operator's name, which is not verified.
const OPERATOR: &str = "x-zkwhirl-operator";

/// The actions of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorAction {
    /// Requeue dead letters.
    Replay,
    /// Reject jobs: **the NACK stops Falafel's rollup production**.
    Reject,
    /// Cancel running attempts and requeue their jobs.
    Cancel,
    /// Pause: the workers claim no new jobs.
    Quiet,
    /// Resume: the workers claim jobs again.
    Loud,
    /// Drain: the workers finish their running jobs and stop.
    Drain,
}

/// An action that an operator requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActionRequest {
    /// The action.
    pub act: OperatorAction,
    /// The jobs, by their ids or beginnings of ids, or the workers, by name.
    pub on: Vec<String>,
    /// The reason of a rejection; empty for other actions.
    #[serde(default)]
    pub reason: String,
    /// The last four digits of a rejected job's id; empty for other actions.
    #[serde(default)]
    pub confirm: String,
}

/// How an action on one job or worker ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActionOutcome {
    /// The job or the worker.
    pub on: String,
    /// True if the action was done.
    pub done: bool,
    /// The result or the reason of a failure, as a sentence.
    pub text: String,
}

impl OperatorAction {
    /// The action's name.
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

impl ConsoleState {
    /// Returns the operator's name; fails for a caller without the token.
    pub(super) fn allow(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        let Some(token) = &self.config.token else {
            let why = "this console is read-only: start the bridge with ZKWHIRL_OPERATOR_TOKEN \
                       to let operators act";
            return Err(Refusal::new(StatusCode::FORBIDDEN, why));
        };
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let shown = text(header::AUTHORIZATION.as_str());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer "));
        if !shown.is_some_and(|shown| token.is(shown)) {
            let why = match shown {
                None => "this action needs the operator's token, and the request has none",
                Some(_) => "this is not the operator's token",
            };
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, why));
        }
        let name = text(OPERATOR).unwrap_or("operator");
        Ok(name.chars().take(NAME_CHARS).collect())
    }

    /// Does an action on all its targets, one after the other, in a separate task, so
    /// that a caller who disconnects does not interrupt the action.
    pub(super) async fn act(
        self: &Arc<Self>,
        who: String,
        action: ActionRequest,
    ) -> Result<Vec<ActionOutcome>, Refusal> {
        let count = action.on.len();
        if !(1..=MAX_TARGETS).contains(&count) {
            let why = format!("an action needs 1 to {MAX_TARGETS} jobs or workers, not {count}");
            return Err(Refusal::bad(why));
        }
        if action.act == OperatorAction::Reject {
            check_rejection(&action)?;
        }
        let console = self.clone();
        let acting = tokio::spawn(async move { console.act_on_all(&who, &action).await });
        let why = match tokio::time::timeout(ACTION_TIMEOUT, acting).await {
            Ok(Ok(outcomes)) => return Ok(outcomes),
            Ok(Err(error)) => format!("the action failed: {error}"),
            Err(_) => format!(
                "not ended within {ACTION_TIMEOUT:?}; the action goes on: see the audit log"
            ),
        };
        Err(Refusal::away(why))
    }

    async fn act_on_all(&self, who: &str, action: &ActionRequest) -> Vec<ActionOutcome> {
        let mut outcomes = Vec::with_capacity(action.on.len());
        let Ok(_turn) = self.acting.acquire().await else {
            return outcomes;
        };
        for on in &action.on {
            let entry = |on: &str, text: &str, done| AuditEntry {
                at_ms: clock::now_ms(),
                who: who.to_owned(),
                what: action.act.name().to_owned(),
                on: on.to_owned(),
                text: text.to_owned(),
                done,
            };
            self.audit.write(entry(on, &action.reason, false));
            let (on, outcome) = self.act_on(action, on).await;
            let done = outcome.is_ok();
            let text = outcome.unwrap_or_else(|refusal| refusal.why);
            self.audit.write(entry(&on, &text, done));
            outcomes.push(ActionOutcome { on, done, text });
        }
        self.forget_listing().await;
        outcomes
    }

    /// Does an action on one target; returns its whole name and the result.
    async fn act_on(&self, action: &ActionRequest, on: &str) -> (String, Result<String, Refusal>) {
        let worker = on.to_owned();
        let quiet = action.act == OperatorAction::Quiet;
        let control = match action.act {
            OperatorAction::Quiet | OperatorAction::Loud => Control::Quiet { worker, quiet },
            OperatorAction::Drain => Control::Drain { worker },
            OperatorAction::Replay | OperatorAction::Reject | OperatorAction::Cancel => {
                return match self.find_job(on).await {
                    Ok(job) => (job.to_string(), self.act_on_job(action, job).await),
                    Err(refusal) => (worker, Err(refusal)),
                };
            }
        };
        (on.to_owned(), self.tell_worker(on, &control).await)
    }

    async fn tell_worker(&self, worker: &str, control: &Control) -> Result<String, Refusal> {
        let slots = self.config.bridge.ledger().slots().await?;
        let meant = |slot: &str| {
            let rest = slot.strip_prefix(worker);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let meant = slots.iter().filter(|slot| meant(&slot.slot)).count();
        if meant == 0 {
            return Err(Refusal::unknown(format!("no worker {worker} is running")));
        }
        self.config.bridge.broker().send_control(control).await?;
        Ok(match meant {
            1 => "message sent".to_owned(),
            slots => format!("message sent to {slots} slots"),
        })
    }

    async fn act_on_job(&self, action: &ActionRequest, job: JobId) -> Result<String, Refusal> {
        let bridge = &self.config.bridge;
        match action.act {
            OperatorAction::Replay => {
                bridge.replay(job).await?;
                Ok("back in the queue as attempt 1".to_owned())
            }
            OperatorAction::Reject => {
                if !job.to_string().ends_with(&action.confirm) {
                    let why = format!("job {}: its id ends in other digits", job.short());
                    return Err(Refusal::bad(why));
                }
                let tickets = bridge.reject(job, &action.reason).await?;
                Ok(format!("rejected: a NACK goes to {tickets} tickets"))
            }
            _ => {
                let record = bridge.ledger().job(job).await?;
                let record = record.ok_or_else(|| Refusal::unknown_job(job))?;
                if !matches!(record.state, JobState::Claimed | JobState::Proving) {
                    let (job, state) = (job.short(), record.state);
                    return Err(Refusal::bad(format!(
                        "job {job} is {state}, no attempt is running"
                    )));
                }
                let cancel = Control::Cancel { job };
                bridge.broker().send_control(&cancel).await?;
                Ok("message sent: its worker requeues the job".to_owned())
            }
        }
    }
}

fn check_rejection(action: &ActionRequest) -> Result<(), Refusal> {
    let reason = action.reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES {
        return Err(Refusal::bad(format!(
            "a rejection needs a reason of 1 to {REASON_BYTES} bytes, which Falafel logs"
        )));
    }
    if action.on.len() != 1 || action.confirm.len() != CONFIRM_DIGITS {
        return Err(Refusal::bad(
            "a rejection must name one job and repeat the last four digits of its id, \
             because the NACK stops Falafel's rollup production",
        ));
    }
    Ok(())
}
