//! Checks the environment: a misspelt variable in a manifest must be an error.

use std::env;

use clap::CommandFactory;

use crate::cli::Cli;

/// Refuses `ZKWHIRL_*` variables that no flag reads, and names the nearest one
/// that exists.
pub(crate) fn refuse_unknown_variables() -> Result<(), anyhow::Error> {
    let known = variables(&Cli::command());
    let present = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    match unknown(&known, present) {
        None => Ok(()),
        Some((name, nearest)) => anyhow::bail!(
            "the environment sets {name}, which nothing here reads (did you mean {nearest}?)"
        ),
    }
}

/// Every variable that a flag of the command or of its sub-commands reads.
fn variables(command: &clap::Command) -> Vec<String> {
    let own = command
        .get_arguments()
        .filter_map(|argument| argument.get_env())
        .filter_map(|name| name.to_str().map(str::to_owned));
    own.chain(command.get_subcommands().flat_map(variables))
        .collect()
}

/// Prefixes of variables that only scripts and tests read.
const ELSEWHERE: [&str; 2] = ["ZKWHIRL_SERVICES_", "ZKWHIRL_TEST_"];

fn unknown(known: &[String], present: impl Iterator<Item = String>) -> Option<(String, String)> {
    let name = present
        .filter(|name| name.starts_with("ZKWHIRL_"))
        .filter(|name| !ELSEWHERE.iter().any(|prefix| name.starts_with(prefix)))
        .find(|name| !known.contains(name))?;
    let nearest = known
        .iter()
        .max_by_key(|candidate| shared_prefix(candidate, &name))?;
    Some((name.clone(), nearest.clone()))
}

fn shared_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod manifests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_named_with_the_one_that_was_meant() {
        let known = variables(&Cli::command());
        let present = ["PATH", "ZKWHIRL_SUITE", "ZKWHIRL_WORKRES"].map(str::to_owned);
        assert_eq!(
            unknown(&known, present.into_iter()),
            Some(("ZKWHIRL_WORKRES".to_owned(), "ZKWHIRL_WORKERS".to_owned()))
        );
        let present = ["ZKWHIRL_SUITE", "ZKWHIRL_LOG"].map(str::to_owned);
        assert_eq!(unknown(&known, present.into_iter()), None);
    }
}
