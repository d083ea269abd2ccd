//! `zkwhirl rollups|jobs|workers|dead|queues`: views of a running bridge and
//! operators' actions, through the API of its console.

mod client;
mod print;

use std::{fs, io::Write, path::Path, process::ExitCode, time::Duration};

use anyhow::Context;
use zkwhirl_console::{
    ActionOutcome, ActionRequest, MAX_TARGETS, OperatorAction,
    views::{DeadLetterView, Listed},
};

use self::client::{BridgeClient, parse};
use crate::{
    cli::{
        AskArgs, DeadArgs, DeadCommand, JobsArgs, JobsCommand, QueuesArgs, RollupsArgs, WantedArgs,
        WorkersArgs, WorkersCommand,
    },
    shell::exit,
    ui,
};

/// Interval between two reads of a watched view.
const AGAIN: Duration = Duration::from_secs(1);
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

type Text = fn(&[u8]) -> anyhow::Result<String>;

pub(super) fn rollups(args: &RollupsArgs) -> anyhow::Result<ExitCode> {
    ask(&args.ask, async |operator| {
        operator.show(&["rollups"], &[], print::rollups).await
    })
}

pub(super) fn queues(args: &QueuesArgs) -> anyhow::Result<ExitCode> {
    ask(&args.ask, async |operator| {
        operator.show(&["queues"], &[], print::queues).await
    })
}

pub(super) fn jobs(args: &JobsArgs) -> anyhow::Result<ExitCode> {
    ask(&args.ask, async |operator| match &args.command {
        None => {
            let query = query(&args.wanted);
            operator.show(&["jobs"], &query, print::jobs).await
        }
        Some(JobsCommand::Show { id }) => operator.show(&["jobs", id], &[], print::job).await,
        Some(JobsCommand::Cancel { ids }) => {
            operator.act(action(OperatorAction::Cancel, ids)).await
        }
    })
}

fn query(wanted: &WantedArgs) -> Vec<(&'static str, String)> {
    let rollup = wanted.rollup.map(|rollup| rollup.to_string());
    let all = [
        ("state", wanted.state.clone()),
        ("kind", wanted.kind.clone()),
        ("rollup", rollup),
        ("search", wanted.search.clone()),
        ("limit", Some(wanted.limit.to_string())),
    ];
    let given = all.into_iter();
    given
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

pub(super) fn workers(args: &WorkersArgs) -> anyhow::Result<ExitCode> {
    ask(&args.ask, async |operator| {
        let (act, named) = match &args.command {
            None => return operator.show(&["workers"], &[], print::workers).await,
            Some(WorkersCommand::Quiet(named)) => (OperatorAction::Quiet, named),
            Some(WorkersCommand::Loud(named)) => (OperatorAction::Loud, named),
            Some(WorkersCommand::Drain(named)) => (OperatorAction::Drain, named),
        };
        operator.act(action(act, &named.names)).await
    })
}

pub(super) fn dead(args: &DeadArgs) -> anyhow::Result<ExitCode> {
    ask(&args.ask, async |operator| match &args.command {
        None => operator.show(&["dead"], &[], print::dead).await,
        Some(DeadCommand::Replay { ids, all: false }) => operator.replay(ids).await,
        Some(DeadCommand::Replay { all: true, .. }) => {
            let letters = operator.bridge.read(&["dead"], &[]).await?;
            let letters: Listed<DeadLetterView> = parse(&letters)?;
            let all = letters.items.into_iter().map(|letter| letter.id);
            operator
                .replay(&all.take(MAX_TARGETS).collect::<Vec<_>>())
                .await
        }
        Some(DeadCommand::Reject {
            id,
            reason,
            confirm,
        }) => {
            let reject = ActionRequest {
                reason: reason.clone(),
                confirm: confirm.clone(),
                ..action(OperatorAction::Reject, std::slice::from_ref(id))
            };
            operator.act(reject).await
        }
        Some(DeadCommand::Download { id, out }) => operator.download(id, out).await,
    })
}

fn action(act: OperatorAction, on: &[String]) -> ActionRequest {
    ActionRequest {
        act,
        on: on.to_vec(),
        reason: String::new(),
        confirm: String::new(),
    }
}

/// Runs a command with a client of the bridge that the arguments name.
fn ask(
    ask: &AskArgs,
    command: impl AsyncFnOnce(Operator<'_>) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let bridge = BridgeClient::new(ask)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(command(Operator { ask, bridge }))
}

/// An operator's options and the client of the bridge.
struct Operator<'a> {
    ask: &'a AskArgs,
    bridge: BridgeClient,
}

impl Operator<'_> {
    /// Prints a view, once or after every change.
    async fn show(
        &self,
        path: &[&str],
        query: &[(&str, String)],
        text: Text,
    ) -> anyhow::Result<ExitCode> {
        let AskArgs { json, watch, .. } = *self.ask;
        let mut before = None;
        loop {
            let body = self.bridge.read(path, query).await?;
            let (shown, steady) = match json {
                true => (String::from_utf8_lossy(&body).into(), without_clock(&body)),
                false => {
                    let shown = text(&body)?;
                    (shown.clone(), shown)
                }
            };
            if watch && !json && ui::terminal() {
                ui::say(&format!("{CLEAR}{shown}"));
            } else if before.as_ref() != Some(&steady) {
                ui::say(&shown);
            }
            before = Some(steady);
            if !watch {
                return Ok(ExitCode::SUCCESS);
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
            }
        }
    }

    async fn replay(&self, ids: &[String]) -> anyhow::Result<ExitCode> {
        if ids.is_empty() {
            ui::say("no dead letters: nothing to replay");
            return Ok(ExitCode::SUCCESS);
        }
        self.act(action(OperatorAction::Replay, ids)).await
    }

    async fn download(&self, id: &str, out: &Path) -> anyhow::Result<ExitCode> {
        let request = self
            .bridge
            .read_as_operator(&["dead", id, "request"])
            .await?;
        let written = fs::File::create_new(out).and_then(|mut file| file.write_all(&request));
        let written = written.with_context(|| format!("cannot write {}", out.display()));
        written.map_err(exit::usage)?;
        let size = ui::bytes(request.len() as u64);
        ui::say(&format!("{}: {size}", out.display()));
        Ok(ExitCode::SUCCESS)
    }

    async fn act(&self, action: ActionRequest) -> anyhow::Result<ExitCode> {
        let acted = self.bridge.act(&action).await?;
        for one in &acted {
            let ActionOutcome { on, done, text } = one;
            let line = format!("{} {}: {text}", action.act.name(), print::short(on));
            match done {
                _ if self.ask.json => ui::say(&serde_json::to_string(one)?),
                true => ui::say(&line),
                false => ui::complain(&line),
            }
        }
        Ok(match acted.iter().all(|one| one.done) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }
}

/// The answer without the server's time, which differs in every answer.
fn without_clock(body: &[u8]) -> String {
    let mut value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("now_ms");
    }
    value.to_string()
}
