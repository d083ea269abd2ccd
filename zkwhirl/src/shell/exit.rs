//! Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130
//! interrupted.

use std::{error::Error, fmt, process::ExitCode};

/// A usage error: exit code 2, as for clap's own errors.
#[derive(Debug)]
struct Usage(anyhow::Error);

/// The command was interrupted by a signal and has said so.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl Error for Usage {}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl Error for Interrupted {}

/// Marks an error as one of usage or configuration.
pub(crate) fn usage(error: impl Into<anyhow::Error>) -> anyhow::Error {
    Usage(error.into()).into()
}

/// Prints the error in one line and returns the exit code.
pub(crate) fn code(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) if error.is::<Interrupted>() => ExitCode::from(130),
        Err(error) => {
            crate::ui::complain(&format!("zkwhirl: {error:#}"));
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}
