//! `zkwhirl rollups|jobs|workers|dead|queues`: views of a running bridge and
//! operators' actions, through the API of its console.

mod client;
mod print;

use std::{fs, io::Write, process::ExitCode, time::Duration};

use zkwhirl_console::{
    ActionOutcome, MAX_TARGETS, OperatorAction,
    views::{DeadLetterView, Listed},
};

use self::client::{BridgeClient, Refused, parse};
use crate::{
    cli::{
        AskArgs, DeadArgs, DeadCommand, DownloadArgs, JobsArgs, JobsCommand, QueuesArgs,
        ReplayArgs, RollupsArgs, WantedArgs, WorkersArgs, WorkersCommand,
    },
    shell::exit,
    ui,
};

/// How often a watched view is read.
const AGAIN: Duration = Duration::from_secs(1);
/// Clears the terminal.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

type Text = fn(&[u8]) -> Result<String, Refused>;

/// A view of the console: its path, and its text.
struct ConsoleView {
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    text: Text,
}

impl ConsoleView {
    fn new(path: &str, text: Text) -> Self {
        Self {
            path: vec![path.to_owned()],
            query: Vec::new(),
            text,
        }
    }

    async fn read(&self, bridge: &BridgeClient) -> Result<Vec<u8>, Refused> {
        let path: Vec<_> = self.path.iter().map(String::as_str).collect();
        bridge.read(&path, &self.query).await
    }
}

pub(super) fn rollups(args: &RollupsArgs) -> anyhow::Result<ExitCode> {
    show(&args.ask, ConsoleView::new("rollups", print::rollups))
}

pub(super) fn queues(args: &QueuesArgs) -> anyhow::Result<ExitCode> {
    show(&args.ask, ConsoleView::new("queues", print::queues))
}

pub(super) fn jobs(args: &JobsArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        None => {
            let mut view = ConsoleView::new("jobs", print::jobs);
            view.query = query(&args.wanted);
            show(&args.ask, view)
        }
        Some(JobsCommand::Show(job)) => {
            let mut view = ConsoleView::new("jobs", print::job);
            view.path.push(job.id.clone());
            show(&args.ask, view)
        }
        Some(JobsCommand::Cancel(jobs)) => {
            act(&args.ask, OperatorAction::Cancel, &jobs.ids, "", "")
        }
    }
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
    let (what, named) = match &args.command {
        None => return show(&args.ask, ConsoleView::new("workers", print::workers)),
        Some(WorkersCommand::Quiet(named)) => (OperatorAction::Quiet, named),
        Some(WorkersCommand::Loud(named)) => (OperatorAction::Loud, named),
        Some(WorkersCommand::Drain(named)) => (OperatorAction::Drain, named),
    };
    act(&args.ask, what, &named.names, "", "")
}

pub(super) fn dead(args: &DeadArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        None => show(&args.ask, ConsoleView::new("dead", print::dead)),
        Some(DeadCommand::Replay(replay)) => replay_dead(&args.ask, replay),
        Some(DeadCommand::Reject(reject)) => {
            let on = [reject.id.clone()];
            act(
                &args.ask,
                OperatorAction::Reject,
                &on,
                &reject.reason,
                &reject.confirm,
            )
        }
        Some(DeadCommand::Download(download)) => fetch(&args.ask, download),
    }
}

fn replay_dead(ask: &AskArgs, replay: &ReplayArgs) -> anyhow::Result<ExitCode> {
    if !replay.all {
        return act(ask, OperatorAction::Replay, &replay.ids, "", "");
    }
    let bridge = BridgeClient::new(ask).map_err(exit::usage)?;
    let letters = block_on(async {
        let body = ConsoleView::new("dead", print::dead).read(&bridge).await?;
        parse::<Listed<DeadLetterView>>(&body)
    })?;
    match letters {
        Ok(letters) if letters.items.is_empty() => {
            ui::say("no dead letters: nothing to replay");
            Ok(ExitCode::SUCCESS)
        }
        Ok(letters) => {
            let ids = letters.items.into_iter().map(|letter| letter.id);
            act(
                ask,
                OperatorAction::Replay,
                &ids.take(MAX_TARGETS).collect::<Vec<_>>(),
                "",
                "",
            )
        }
        Err(refused) => Ok(refuse(&refused)),
    }
}

fn fetch(ask: &AskArgs, download: &DownloadArgs) -> anyhow::Result<ExitCode> {
    let bridge = BridgeClient::new(ask).map_err(exit::usage)?;
    let path = ["dead", &download.id, "request"];
    let request = match block_on(bridge.read_as_operator(&path))? {
        Ok(request) => request,
        Err(refused) => return Ok(refuse(&refused)),
    };
    let file = &download.out;
    let written = fs::File::create_new(file).and_then(|mut file| file.write_all(&request));
    if let Err(error) = written {
        return Err(exit::usage(anyhow::anyhow!(
            "cannot write {}: {error}",
            file.display()
        )));
    }
    let size = ui::bytes(request.len() as u64);
    ui::say(&format!("{}: {size}", file.display()));
    Ok(ExitCode::SUCCESS)
}

fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(future))
}

fn refuse(refused: &Refused) -> ExitCode {
    ui::complain(&format!("zkwhirl: {refused}"));
    ExitCode::from(refused.code())
}

/// Prints a view, once or at every change.
fn show(ask: &AskArgs, view: ConsoleView) -> anyhow::Result<ExitCode> {
    let bridge = BridgeClient::new(ask).map_err(exit::usage)?;
    let shown = block_on(async {
        if !ask.watch {
            let body = view.read(&bridge).await?;
            return say(ask, &view, &body);
        }
        let mut before = String::new();
        loop {
            let body = view.read(&bridge).await?;
            if ask.json {
                let calm = without_clock(&body);
                if calm != before {
                    say(ask, &view, &body)?;
                    before = calm;
                }
            } else if ui::terminal() {
                ui::say(&format!("{CLEAR}{}", (view.text)(&body)?));
            } else {
                let text = (view.text)(&body)?;
                if text != before {
                    ui::say(&text);
                    before = text;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                _ = tokio::signal::ctrl_c() => return Ok(()),
            }
        }
    })?;
    Ok(match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(refused) => refuse(&refused),
    })
}

fn say(ask: &AskArgs, view: &ConsoleView, body: &[u8]) -> Result<(), Refused> {
    let text = match ask.json {
        true => String::from_utf8_lossy(body).into_owned(),
        false => (view.text)(body)?,
    };
    ui::say(&text);
    Ok(())
}

/// An answer without the server's clock, which is never the same.
fn without_clock(body: &[u8]) -> String {
    let mut value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.remove("now_ms");
    }
    value.to_string()
}

fn act(
    ask: &AskArgs,
    what: OperatorAction,
    on: &[String],
    reason: &str,
    confirm: &str,
) -> anyhow::Result<ExitCode> {
    let bridge = BridgeClient::new(ask).map_err(exit::usage)?;
    let acted = match block_on(bridge.act(what, on, reason, confirm))? {
        Ok(acted) => acted,
        Err(refused) => return Ok(refuse(&refused)),
    };
    for one in &acted {
        let ActionOutcome { on, done, text } = one;
        if ask.json {
            ui::say(&serde_json::to_string(one)?);
        } else {
            let line = format!("{} {}: {text}", what.name(), print::short(on));
            match done {
                true => ui::say(&line),
                false => ui::complain(&line),
            }
        }
    }
    Ok(match acted.iter().all(|one| one.done) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
