//! Checks the environment: a misspelt variable in a manifest must be an error.

use std::env;

use clap::CommandFactory;

use crate::cli::Cli;

/// Fails if the environment has a `ZKWHIRL_*` variable that no flag reads. The
/// error names the most similar variable that exists.
pub(crate) fn refuse_unknown_variables() -> Result<(), anyhow::Error> {
    let known = variables(&Cli::command());
    let present = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    match unknown(&known, present) {
        None => Ok(()),
        Some((name, nearest)) => anyhow::bail!(
            "the environment sets {name}, which no option reads (did you mean {nearest}?)"
        ),
    }
}

/// Every variable that a flag of the command or of its sub-commands reads.
fn variables(command: &clap::Command) -> Vec<String> {
    let arguments = command.get_arguments();
    let own = arguments.filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned()));
    own.chain(command.get_subcommands().flat_map(variables))
        .collect()
}

/// Prefixes of variables that only scripts and tests read.
const ELSEWHERE: [&str; 2] = ["ZKWHIRL_SERVICES_", "ZKWHIRL_TEST_"];

fn unknown(known: &[String], present: impl Iterator<Item = String>) -> Option<(String, String)> {
    let elsewhere = |name: &str| ELSEWHERE.iter().any(|prefix| name.starts_with(prefix));
    let mut ours = present.filter(|name| name.starts_with("ZKWHIRL_") && !elsewhere(name));
    let name = ours.find(|name| !known.contains(name))?;
    let nearest = known.iter().max_by_key(|known| shared_prefix(known, &name));
    Some((name.clone(), nearest?.clone()))
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
        let unknown = |names: [&str; 2]| unknown(&known, names.map(str::to_owned).into_iter());
        let meant = ["ZKWHIRL_WORKRES", "ZKWHIRL_WORKERS"].map(str::to_owned);
        assert_eq!(unknown(["PATH", "ZKWHIRL_WORKRES"]), Some(meant.into()));
        assert_eq!(unknown(["ZKWHIRL_SUITE", "ZKWHIRL_LOG"]), None);
    }
}
