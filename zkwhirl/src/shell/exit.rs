//! Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130
//! interrupted. A command may have further codes of its own.

use std::process::ExitCode;

/// An error with an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{why:#}")]
struct Coded {
    code: u8,
    why: anyhow::Error,
}

/// A signal interrupted the command, which has already printed a message.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// Marks an error as one of usage or configuration: exit code 2, as for clap's
/// own errors.
pub(crate) fn usage(error: impl Into<anyhow::Error>) -> anyhow::Error {
    coded(2, error.into())
}

/// An error that ends the process with this code.
pub(crate) fn coded(code: u8, why: anyhow::Error) -> anyhow::Error {
    Coded { code, why }.into()
}

/// Prints the error in one line and returns the exit code.
pub(crate) fn code(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) if error.is::<Interrupted>() => ExitCode::from(130),
        Err(error) => {
            crate::ui::complain(&format!("zkwhirl: {error:#}"));
            let coded = error.downcast_ref::<Coded>();
            ExitCode::from(coded.map_or(1, |coded| coded.code))
        }
    }
}
