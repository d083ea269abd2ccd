//! The flags of the commands that read a running bridge and act on it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use url::Url;

/// The operator's token of a bridge.
#[derive(Debug, Clone, Args)]
pub(crate) struct OperatorArgs {
    /// Operator's token for replay, reject, cancel, quiet and drain; without it
    /// these actions are refused
    #[arg(long, value_name = "TOKEN", env = "ZKWHIRL_OPERATOR_TOKEN")]
    #[arg(hide_env_values = true)]
    pub(crate) operator_token: Option<String>,
}

/// The bridge to ask and the format of the answer.
#[derive(Debug, Clone, Args)]
pub(crate) struct AskArgs {
    /// The admin address of a bridge, of up, or of demo
    #[arg(long, value_name = "URL", env = "ZKWHIRL_BRIDGE")]
    #[arg(global = true, default_value = "http://127.0.0.1:9464")]
    pub(crate) bridge: Url,
    /// The operator's token, for what changes something
    #[arg(long, value_name = "TOKEN", env = "ZKWHIRL_OPERATOR_TOKEN")]
    #[arg(global = true, hide_env_values = true)]
    pub(crate) operator_token: Option<String>,
    /// Print the answer as JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print the view again at every change, until Ctrl-C
    #[arg(long, short, global = true)]
    pub(crate) watch: bool,
}

/// The exit codes of these commands.
macro_rules! help {
    ($examples:literal) => {
        concat!(
            $examples,
            "\n\nExit codes:\n  0  done\n  1  failed: not found, or something was not done\n  \
             2  wrong usage\n  3  refused: the operator's token is missing, wrong, or not set up\n  \
             4  the bridge does not answer"
        )
    };
}

#[derive(Debug, Args)]
#[command(after_help = help!("\
Examples:
  zkwhirl rollups --watch                                  how far, how long still
  zkwhirl rollups --bridge http://bridge-0:9464 --json"))]
pub(crate) struct RollupsArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = help!("\
Examples:
  zkwhirl jobs --state proving,retrying
  zkwhirl jobs --rollup 7 --search worker-3
  zkwhirl jobs show 1c9f                     its life, its runs, what failed
  zkwhirl jobs cancel 1c9f                   end the attempt that runs; it goes back to the queue"))]
pub(crate) struct JobsArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    #[command(subcommand)]
    pub(crate) command: Option<JobsCommand>,
}

/// The selection of jobs.
#[derive(Debug, Default, Args)]
pub(crate) struct WantedArgs {
    /// In one of these states, with commas between: taken, queued, proving, dead, ...
    #[arg(long, value_name = "STATE,STATE")]
    pub(crate) state: Option<String>,
    /// Of one of these kinds: claim, tx-rollup, root-rollup, ...
    #[arg(long, value_name = "KIND,KIND")]
    pub(crate) kind: Option<String>,
    /// Of this rollup
    #[arg(long, value_name = "ID")]
    pub(crate) rollup: Option<u32>,
    /// Jobs with this text in id, reason, kind, state, or the name of a worker
    /// that ran the job
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// The newest jobs, at most this number
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// All facts about one job except its request
    Show {
        /// The job's id, or at least its first four digits
        #[arg(value_name = "ID")]
        id: String,
    },
    /// End the attempt that runs; the job goes back to the queue
    Cancel {
        /// Ids, or at least the first four digits of each
        #[arg(value_name = "ID", required = true, num_args = 1..)]
        ids: Vec<String>,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = help!("\
Examples:
  zkwhirl workers --watch
  zkwhirl workers quiet host-3               all slots of host-3 claim no more
  zkwhirl workers loud host-3                they claim again
  zkwhirl workers drain host-3/2             finish what it has and leave"))]
pub(crate) struct WorkersArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    #[command(subcommand)]
    pub(crate) command: Option<WorkersCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkersCommand {
    /// Claim no more
    Quiet(WorkersNamed),
    /// Claim again
    Loud(WorkersNamed),
    /// Finish the running jobs, then exit
    Drain(WorkersNamed),
}

#[derive(Debug, Args)]
pub(crate) struct WorkersNamed {
    /// Names of slots, or of workers for all their slots
    #[arg(value_name = "NAME", required = true, num_args = 1..)]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = help!("\
Examples:
  zkwhirl dead
  zkwhirl dead replay 1c9f                   back to the queue as attempt 1
  zkwhirl dead replay --all
  zkwhirl dead download 1c9f --out job.bin && zkwhirl prove job.bin
  zkwhirl dead reject 1c9f --confirm 33ab --reason 'tx 3 cannot be proved'   FALAFEL HALTS"))]
pub(crate) struct DeadArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    #[command(subcommand)]
    pub(crate) command: Option<DeadCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// Send jobs back to the queue
    Replay {
        /// Ids, or at least the first four digits of each
        #[arg(value_name = "ID", required_unless_present = "all", num_args = 1..)]
        ids: Vec<String>,
        /// Every dead letter, 500 at most
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
    /// Answer a job's tickets with a NACK: Falafel makes no rollup until it is restarted
    Reject {
        /// The job's id, or at least its first four digits
        #[arg(value_name = "ID")]
        id: String,
        /// The reason; Falafel logs it
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The last four digits of the job's id
        #[arg(long, value_name = "DIGITS")]
        confirm: String,
    },
    /// Write a job's request to a file, for zkwhirl prove
    Download {
        /// The job's id, or at least its first four digits
        #[arg(value_name = "ID")]
        id: String,
        /// The file to write; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(after_help = help!("\
Examples:
  zkwhirl queues
  zkwhirl queues --watch --bridge http://bridge-0:9464"))]
pub(crate) struct QueuesArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}
