//! `zkwhirl rollup-cli`: the native engine, or the mock, with the stdio protocol.
//! Halloumi can start this command in place of Aztec Connect's `rollup_cli`.

use std::{
    collections::HashSet,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Mutex,
    thread,
};

use anyhow::Context;
use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::time::{Duration, Instant};
use zkwhirl::cluster::{client_statement, key_store, provenance};
use zkwhirl_circuits::{Circuit, StatementKind};
use zkwhirl_job::{Command, Failure, Request, Sizes, request::identify};
use zkwhirl_prover::{
    Progress, Proverless,
    native::{Engine, EngineConfig, Setting},
    stdio::{ProofService, notice::Notice, serve},
};

use super::ready;
use crate::{cli::RollupCliArgs, shell::exit, ui};

/// Shortest interval between two progress notices.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

pub(super) fn run(args: RollupCliArgs) -> anyhow::Result<ExitCode> {
    zkwhirl_telemetry::forward(|sample| {
        let line = Notice::Sample(sample.clone()).to_line();
        let _ = writeln!(io::stderr().lock(), "{line}");
    });
    let sizes = Sizes::new(args.txs_per_inner, args.inners_per_root).map_err(exit::usage)?;
    // Keys that are not kept are in a folder of this process; the engine removes
    // each key file as soon as the file is mapped.
    let persist = args.persist == "true";
    let folder = (!persist).then(ready::temporary).transpose()?;
    let folder = folder.as_ref().map(|folder| folder.path().to_owned());
    leave_when_nobody_reads(folder.clone());
    let data_dir = folder.unwrap_or(args.data_path);
    let mut service: Box<dyn ProofService> = if args.mock == "true" {
        Box::new(Mock {
            prover: Proverless::new(args.suite, sizes, Duration::ZERO),
            work: args.work_ms,
        })
    } else {
        let fleet = args.fleet.keys().filter(|_| args.fleet_keys);
        let store = key_store(&data_dir, fleet.as_ref())?;
        let setting = Setting::new(args.suite, sizes, args.max_circuit_size);
        let config = EngineConfig {
            lazy_init: args.lazy_init == "true",
            persist,
            ..EngineConfig::new(setting, provenance(args.allow_dev_keys))
        };
        let mut native = Native {
            engine: Engine::new(config, store),
            reporter: Reporter::default(),
            told: HashSet::new(),
        };
        let wanted = |circuit: &Circuit| args.topic.contains(&circuit.statement.topic());
        let report = |_: &_, progress| native.reporter.say(progress);
        let started = native.engine.start(&wanted, &report);
        started.map_err(ready::at_start)?;
        native.tell_keys();
        Box::new(native)
    };
    serve(
        service.as_mut(),
        io::stdin().lock(),
        io::stdout().lock(),
        &mut |failure| ui::complain(&Notice::Failure(failure.clone()).to_line()),
    )
    .context("cannot go on with this stream")?;
    Ok(ExitCode::SUCCESS)
}

struct Native {
    engine: Engine,
    reporter: Reporter,
    /// Circuits whose loaded keys were reported to the supervisor.
    told: HashSet<Circuit>,
}

impl Native {
    fn tell_keys(&mut self) {
        for (circuit, _) in self.engine.loaded() {
            if self.told.insert(*circuit) {
                ui::complain(&Notice::Key(circuit.to_string()).to_line());
            }
        }
    }
}

impl ProofService for Native {
    fn prove(&mut self, request: Bytes) -> Result<Bytes, Failure> {
        let reporter = &self.reporter;
        let proved = parse(&request).and_then(|request| {
            let report = |progress| reporter.say(progress);
            let proved = self.engine.prove(&request, &report);
            proved.map_err(|error| error.failure())
        });
        self.tell_keys();
        proved.map(|receipt| receipt.reply)
    }

    fn verification_key(&mut self, command: Command) -> Bytes {
        let reporter = &self.reporter;
        let failure = match client_key(&self.engine, command) {
            Ok(statement) => {
                let report = |progress| reporter.say(progress);
                match self.engine.client_vk(statement, &report) {
                    Ok(key) => return key.into(),
                    Err(error) => error.failure(),
                }
            }
            Err(reason) => Failure::infrastructure(reason.to_string()),
        };
        ui::complain(&Notice::Failure(failure).to_line());
        Bytes::new()
    }
}

/// The client circuit whose verification key a command requests.
fn client_key(engine: &Engine, command: Command) -> anyhow::Result<StatementKind> {
    let statement = identify(command as u32, &[]).and_then(client_statement);
    let suite = engine.setting().suite;
    let statement = statement.filter(|statement| statement.exists_in(suite));
    statement.with_context(|| {
        format!(
            "the native engine has no client circuit of the {suite} suite for {command}; \
             import the key with zkwhirl keys import"
        )
    })
}

fn parse(request: &Bytes) -> Result<Request, Failure> {
    Request::parse(request).map_err(|error| Failure::invalid(error.to_string()))
}

struct Mock {
    prover: Proverless,
    work: Duration,
}

impl ProofService for Mock {
    fn prove(&mut self, request: Bytes) -> Result<Bytes, Failure> {
        // The wait simulates the duration of a proof.
        thread::park_timeout(self.work);
        parse(&request).and_then(|request| self.prover.reply(&request))
    }

    fn verification_key(&mut self, _command: Command) -> Bytes {
        self.prover.key()
    }
}

/// Writes progress notices to standard error at a bounded rate.
#[derive(Default)]
struct Reporter(Mutex<Option<(Instant, Progress)>>);

impl Reporter {
    fn say(&self, progress: Progress) {
        let Ok(mut last) = self.0.lock() else { return };
        let now = Instant::now();
        let due = last.is_none_or(|(at, before)| {
            before.phase != progress.phase || now.duration_since(at) >= PROGRESS_EVERY
        });
        if due {
            *last = Some((now, progress));
            let line = Notice::Progress(progress).to_line();
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }
}

/// Starts a thread that ends the process when the reader of standard output has
/// closed the pipe: a killed supervisor cannot end its children or receive the
/// proof. The thread removes the temporary key folder first.
fn leave_when_nobody_reads(folder: Option<PathBuf>) {
    thread::spawn(move || {
        let output = io::stdout();
        // poll always reports an error or a hang-up; no other event is requested.
        let mut watched = [PollFd::new(&output, PollFlags::empty())];
        loop {
            let polled = poll(&mut watched, None);
            let gone = PollFlags::ERR | PollFlags::HUP;
            match polled {
                Ok(_) if watched[0].revents().intersects(gone) => {
                    ready::forget(folder.as_deref());
                    std::process::exit(1);
                }
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    });
}
