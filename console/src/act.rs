//! What an operator does. Each action needs the token, is in the audit log before
//! and after, and one is done at a time.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use zkwhirl_broker_adapter::Control;
use zkwhirl_job::{JobId, clock};
use zkwhirl_ledger::JobState;

use super::{refusal::Refusal, state::ConsoleState, views::AuditEntry};

/// Jobs or workers that one action may name.
pub const MAX_TARGETS: usize = 500;
/// How long a caller waits for an action; a longer one goes on without it.
const ACTION_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest reason in bytes, and the longest name of an operator in characters.
const REASON_BYTES: usize = 500;
const NAME_CHARS: usize = 64;
/// Digits of a job's id that a rejection must repeat.
const CONFIRM_DIGITS: usize = 4;

/// The header with the operator's name, as the operator gives it.
const OPERATOR: &str = "x-zkwhirl-operator";

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorAction {
    /// Dead letters go back to the queue.
    Replay,
    /// Jobs are rejected: **a NACK stops Falafel's rollup production**.
    Reject,
    /// Running attempts are cancelled; the jobs go back to the queue.
    Cancel,
    /// Workers claim no more.
    Quiet,
    /// Workers claim again.
    Loud,
    /// Workers finish the jobs that they have and leave.
    Drain,
}

/// An action that an operator asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActionRequest {
    /// What is done.
    pub act: OperatorAction,
    /// Jobs by their ids or the beginnings of these, or workers by their names.
    pub on: Vec<String>,
    /// Why, for a rejection.
    #[serde(default)]
    pub reason: String,
    /// The last four digits of the job's id, for a rejection.
    #[serde(default)]
    pub confirm: String,
}

/// How an action on one job or worker ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActionOutcome {
    /// The job or the worker.
    pub on: String,
    /// Whether it was done.
    pub done: bool,
    /// How it ended, as a sentence.
    pub text: String,
}

impl OperatorAction {
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

impl ConsoleState {
    /// The operator's name; refuses a caller without the token.
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
                None => "acting needs the operator's token: none was shown",
                Some(_) => "this is not the operator's token",
            };
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, why));
        }
        let name = text(OPERATOR).unwrap_or("operator");
        Ok(name.chars().take(NAME_CHARS).collect())
    }

    /// Does an action on all its targets, one after the other. It runs in a task of
    /// its own, so a caller who leaves does not end it in the middle.
    pub(super) async fn act(
        self: &Arc<Self>,
        who: String,
        action: ActionRequest,
    ) -> Result<Vec<ActionOutcome>, Refusal> {
        let count = action.on.len();
        if !(1..=MAX_TARGETS).contains(&count) {
            let why = format!("an action is about 1 to {MAX_TARGETS} jobs or workers, not {count}");
            return Err(Refusal::bad(why));
        }
        if action.act == OperatorAction::Reject {
            check_rejection(&action)?;
        }
        let console = self.clone();
        let acting = tokio::spawn(async move { console.act_on_all(&who, &action).await });
        let why = match tokio::time::timeout(ACTION_TIMEOUT, acting).await {
            Ok(Ok(outcomes)) => return Ok(outcomes),
            Ok(Err(error)) => format!("the action ended: {error}"),
            Err(_) => format!("not done within {ACTION_TIMEOUT:?}: it goes on, see the audit log"),
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

    /// The whole name of the target, and how the action ended.
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
            return Err(Refusal::unknown(format!("no worker {worker} is there")));
        }
        self.config.bridge.broker().send_control(control).await?;
        Ok(match meant {
            1 => "told".to_owned(),
            slots => format!("{slots} slots told"),
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
                    let why = format!("the id of job {} does not end so", job.short());
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
                        "job {job} is {state}, no attempt runs"
                    )));
                }
                let cancel = Control::Cancel { job };
                bridge.broker().send_control(&cancel).await?;
                Ok("its worker was told to hand it back".to_owned())
            }
        }
    }
}

fn check_rejection(action: &ActionRequest) -> Result<(), Refusal> {
    let reason = action.reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES {
        return Err(Refusal::bad(format!(
            "a rejection needs a reason of 1 to {REASON_BYTES} bytes: Falafel logs it"
        )));
    }
    if action.on.len() != 1 || action.confirm.len() != CONFIRM_DIGITS {
        return Err(Refusal::bad(
            "a rejection is about one job and repeats the last four digits of its id: \
             its NACK stops Falafel's rollup production",
        ));
    }
    Ok(())
}
