//! The flags of the commands that read and operate a running bridge.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use url::Url;

/// The operator's token of a bridge.
#[derive(Debug, Clone, Args)]
pub(crate) struct OperatorArgs {
    /// Operator's token for replay, reject, cancel, quiet, loud and drain; if
    /// no token is set, the bridge refuses these actions
    #[arg(long, value_name = "TOKEN", env = "ZKWHIRL_OPERATOR_TOKEN")]
    #[arg(hide_env_values = true)]
    pub(crate) operator_token: Option<String>,
}

/// The bridge to query and the format of the output.
#[derive(Debug, Clone, Args)]
pub(crate) struct AskArgs {
    /// Admin URL of a running zkwhirl bridge, up or demo
    #[arg(long, value_name = "URL", env = "ZKWHIRL_BRIDGE")]
    #[arg(global = true, default_value = "http://127.0.0.1:9464")]
    pub(crate) bridge: Url,
    /// Operator's token, for commands that change something
    #[arg(long, value_name = "TOKEN", env = "ZKWHIRL_OPERATOR_TOKEN")]
    #[arg(global = true, hide_env_values = true)]
    pub(crate) operator_token: Option<String>,
    /// Print the answer as JSON, one object per line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print the view again after every change, until Ctrl-C
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
  zkwhirl rollups --watch                                  progress and estimated time left
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
  zkwhirl jobs show 1c9f                     its history, its attempts, its failures
  zkwhirl jobs cancel 1c9f                   stop the running attempt and requeue the job"))]
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
    /// Show only jobs in these states, separated by commas: taken, queued, proving, dead, ...
    #[arg(long, value_name = "STATE,STATE")]
    pub(crate) state: Option<String>,
    /// Show only jobs of these kinds, separated by commas: claim, tx-rollup, root-rollup, ...
    #[arg(long, value_name = "KIND,KIND")]
    pub(crate) kind: Option<String>,
    /// Show only jobs of this rollup
    #[arg(long, value_name = "ID")]
    pub(crate) rollup: Option<u32>,
    /// Show only jobs with this text in their id, reason, kind, state, or in
    /// the name of a worker that tried the job
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Show at most this number of jobs, the newest
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// Show everything about one job except its request's bytes
    Show {
        /// The job's id, or at least its first four digits
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Stop the running attempt of each job and requeue the job
    Cancel {
        /// Job ids, or at least the first four digits of each
        #[arg(value_name = "ID", required = true, num_args = 1..)]
        ids: Vec<String>,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = help!("\
Examples:
  zkwhirl workers --watch
  zkwhirl workers quiet host-3               pause all slots of host-3
  zkwhirl workers loud host-3                resume all slots of host-3
  zkwhirl workers drain host-3/2             finish the running job, then stop this slot"))]
pub(crate) struct WorkersArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,
    #[command(subcommand)]
    pub(crate) command: Option<WorkersCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkersCommand {
    /// Pause workers: running proofs continue, no new jobs are claimed
    Quiet(WorkersNamed),
    /// Resume paused workers: they claim jobs again
    Loud(WorkersNamed),
    /// Drain workers: the slots finish their running jobs and stop; a worker without slots exits
    Drain(WorkersNamed),
}

#[derive(Debug, Args)]
pub(crate) struct WorkersNamed {
    /// Names of slots (host-3/2), or of workers (host-3) for all their slots
    #[arg(value_name = "NAME", required = true, num_args = 1..)]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = help!("\
Examples:
  zkwhirl dead
  zkwhirl dead replay 1c9f                   requeue the job; its attempts count from 1 again
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
    /// Requeue dead letters, with their attempts counted from 1 again
    Replay {
        /// Job ids, or at least the first four digits of each
        #[arg(value_name = "ID", required_unless_present = "all", num_args = 1..)]
        ids: Vec<String>,
        /// Replay all dead letters, at most 500
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
    /// Answer a job's tickets with a NACK: Falafel then makes no rollup until Falafel is restarted
    Reject {
        /// The job's id, or at least its first four digits
        #[arg(value_name = "ID")]
        id: String,
        /// Reason that Falafel logs
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Last four digits of the job's id, as confirmation
        #[arg(long, value_name = "DIGITS")]
        confirm: String,
    },
    /// Write a job's request to a file that zkwhirl prove can read
    Download {
        /// The job's id, or at least its first four digits
        #[arg(value_name = "ID")]
        id: String,
        /// File to write; the command fails if the file exists
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
