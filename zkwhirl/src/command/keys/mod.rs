//! `zkwhirl keys`: lists circuits and manages stored keys.

mod circuits;
mod export;
mod generate;
mod import;
mod list;
mod place;
mod remove;
pub(super) mod sample;
mod verify;

use std::process::ExitCode;

use serde::Serialize;
use zkwhirl_keystore::{KeyFile, SectionSummary};

use crate::{cli::KeysCommand, ui};

pub(super) fn run(command: KeysCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeysCommand::Circuits(args) => circuits::run(&args),
        KeysCommand::List(args) => list::run(&args),
        KeysCommand::Generate(args) => generate::run(&args),
        KeysCommand::Verify(args) => verify::run(&args),
        KeysCommand::Export(args) => export::run(&args),
        KeysCommand::Import(args) => import::run(&args),
        KeysCommand::Remove(args) => remove::run(&args),
    }
}

/// A key in `--json`.
#[derive(Debug, Serialize)]
struct KeyLine {
    circuit: String,
    id: String,
    rows: u64,
    provenance: String,
    /// BLAKE3 of the verification key.
    vk: String,
    bytes: u64,
    path: String,
    sections: Vec<SectionSummary>,
    /// True if the fleet uses this key; absent if no fleet was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    fleet: Option<bool>,
}

impl KeyLine {
    fn of(key: &KeyFile) -> Self {
        Self {
            circuit: key.circuit().name.clone(),
            id: key.id().to_string(),
            rows: key.circuit().rows,
            provenance: key.provenance().to_string(),
            vk: key.vk_digest(),
            bytes: key.bytes(),
            path: key.path().display().to_string(),
            sections: key.sections(),
            fleet: None,
        }
    }

    /// The key as one line for people.
    fn text(&self) -> String {
        let (rows, id) = (ui::grouped(self.rows), short(&self.id));
        format!(
            "{}  {rows} rows  key {id}  {}",
            self.circuit, self.provenance
        )
    }
}

/// The first eight digits of a digest, for people.
fn short(digest: &str) -> String {
    digest.chars().take(8).collect()
}
