//! Provers that run another program which speaks `rollup_cli`'s protocol: Aztec
//! Connect's own `rollup_cli`, or a program that behaves like it.

use std::{fs, io, path::PathBuf, time::Duration};

use anyhow::{Context, bail};

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_job::Sizes;
use zkwhirl_prover::stdio::{ChildConfig, CliArguments, Dialect, Eager};

use super::{Rollups, crs};

/// A real claim request, made by Aztec Connect's code and accepted by its
/// `rollup_cli`. A restarted program must prove this claim before its next job.
const SELF_TEST: &[u8] = include_bytes!("../../../tests/vectors/valid_claim_0_request.bin");

/// The file in the data directory that records the settings for which
/// `rollup_cli` stored its keys there.
const NOTE: &str = "rollup_cli.settings";

/// Deadline for a lazy program to build its three small circuits.
const LAZY_START: Duration = Duration::from_secs(30 * 60);
/// Deadline for a program to build all of its circuits.
const EAGER_START: Duration = Duration::from_secs(4 * 3600);
/// Deadline for a program to build the root verifier's circuit, which takes most
/// of an hour.
const EAGER_START_IN_JOB: Duration = Duration::from_secs(55 * 60);
/// Grace between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// How the program's processes are started: with Halloumi's arguments, except
/// that the reference string is in the data directory.
#[derive(Debug, Clone)]
pub struct CliProvers {
    /// The rollup sizes that the program's circuits are built for.
    pub sizes: Sizes,
    /// The path of the program's executable.
    pub program: PathBuf,
    /// Directory of the program's keys and, in `crs`, the reference string.
    pub data_dir: PathBuf,
    /// The largest circuit, in rows: the reference string needs as many points.
    pub max_circuit_size: u64,
    /// True: the program makes mock proofs.
    pub mock: bool,
    /// True: the program builds a key when the first job needs it.
    pub lazy_init: bool,
    /// True: the program stores its keys on disk.
    pub persist: bool,
    /// The limit of a process's private memory, in bytes; `None`: no limit.
    pub memory_limit: Option<u64>,
}

impl CliProvers {
    /// The program's rollups: Aztec Connect's own statements, of `sizes`.
    pub fn rollups(&self) -> Rollups {
        Rollups {
            suite: Suite::Pedersen,
            sizes: self.sizes,
        }
    }

    /// Checks that the program and its reference string exist. An error says
    /// what is missing and how to get it.
    pub fn check(&self) -> anyhow::Result<()> {
        if !self.program.is_file() {
            let program = self.program.display();
            bail!(
                "ZKWHIRL_ROLLUP_CLI={program} is not a file: the variable must name rollup_cli's binary"
            );
        }
        crs::check(&self.crs_dir(), self.max_circuit_size)?;
        match self.persist {
            true => self.claim_keys(),
            false => Ok(()),
        }
    }

    /// Checks that the keys on disk belong to these settings. The program would
    /// load other keys silently: its folders' names lack the number of inner
    /// rollups and the mock flag. Halloumi's directory without [`NOTE`] is accepted.
    fn claim_keys(&self) -> anyhow::Result<()> {
        let mocks = if self.mock { "mocks of " } else { "" };
        let settings = format!("{mocks}{}", self.sizes);
        let note = self.data_dir.join(NOTE);
        let data = self.data_dir.display();
        match fs::read_to_string(&note) {
            Ok(found) if found == settings => Ok(()),
            Ok(found) => bail!(
                "DATA_DIR={data} has rollup_cli's keys for {found}, not for {settings}: name \
                 another directory"
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let fresh = note.with_extension("new");
                let written = fs::write(&fresh, settings).and_then(|()| fs::rename(&fresh, &note));
                written.with_context(|| format!("DATA_DIR={data} cannot be written"))
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", note.display())),
        }
    }

    fn crs_dir(&self) -> PathBuf {
        self.data_dir.join("crs")
    }

    pub(super) fn child(&self) -> ChildConfig {
        let arguments = |lazy_init| CliArguments {
            crs_dir: self.crs_dir(),
            sizes: self.sizes,
            mock: self.mock,
            lazy_init,
            persist: self.persist,
            data_dir: self.data_dir.clone(),
        };
        // If its first job is a root verifier, a lazy program uses the number of
        // transactions per inner rollup as the number of inner rollups.
        let misled = self.lazy_init && self.sizes.txs_per_inner() != self.sizes.inners_per_root();
        ChildConfig {
            name: "rollup_cli".to_owned(),
            program: self.program.clone(),
            arguments: arguments(self.lazy_init).to_strings(),
            environment: Vec::new(),
            sizes: self.sizes,
            dialect: Dialect::RollupCli,
            start_deadline: match self.lazy_init {
                true => LAZY_START,
                false => EAGER_START,
            },
            grace: GRACE,
            self_test: Some(Bytes::from_static(SELF_TEST)),
            verifier_first: misled.then(|| Eager {
                arguments: arguments(false).to_strings(),
                start_deadline: EAGER_START_IN_JOB,
            }),
            memory_limit: self.memory_limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_settings_are_not_mixed() {
        let folder = tempfile::tempdir().unwrap();
        let claim = |inners, mock| {
            let provers = CliProvers {
                sizes: Sizes::new(28, inners).unwrap(),
                program: "rollup_cli".into(),
                data_dir: folder.path().to_owned(),
                max_circuit_size: 2,
                mock,
                lazy_init: true,
                persist: true,
                memory_limit: None,
            };
            provers.claim_keys().map_err(|error| error.to_string())
        };
        claim(32, false).unwrap();
        claim(32, false).unwrap();
        let other = claim(16, false).unwrap_err();
        let line = "keys for 28×32, not for 28×16: name another directory";
        assert!(other.ends_with(line), "{other}");
        let mock = claim(32, true).unwrap_err();
        assert!(mock.contains("not for mocks of 28×32"), "{mock}");
    }
}
