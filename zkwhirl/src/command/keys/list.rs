//! `zkwhirl keys list`.

use std::process::ExitCode;

use serde::Serialize;
use zkwhirl::cluster::client_circuit;
use zkwhirl_circuits::Suite;
use zkwhirl_job::Kind;
use zkwhirl_keystore::vk_digest;

use super::{KeyLine, short};
use crate::{
    cli::PlaceArgs,
    ui::{self, table},
};

/// Printed as the provenance of verification keys that were imported unchanged.
const FROM_OUTSIDE: &str = "from outside, setup unknown";

/// The clients' verification keys that can be imported.
const CLIENT_VKS: [(Suite, Kind, &str); 4] = [
    (Suite::Pedersen, Kind::JoinSplitVk, "join-split"),
    (Suite::Pedersen, Kind::AccountVk, "account"),
    (Suite::Poseidon, Kind::JoinSplitVk, "join-split"),
    (Suite::Poseidon, Kind::AccountVk, "account"),
];

/// An imported verification key of a clients' circuit, in `--json`.
#[derive(Debug, Serialize)]
struct ClientVkLine {
    /// Statement and suite, as in the names of zkWhirl's circuits.
    circuit: String,
    provenance: &'static str,
    /// BLAKE3 of the verification key.
    vk: String,
    bytes: u64,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ListLine {
    Key(KeyLine),
    ClientVk(ClientVkLine),
}

pub(super) fn run(place: &PlaceArgs) -> anyhow::Result<ExitCode> {
    let fleet = place.fleet()?;
    let (files, mut bad) = place.keys()?;
    let mut lines = Vec::new();
    for file in &files {
        let mut line = KeyLine::of(file);
        if let Some(fleet) = &fleet {
            let manifest = fleet.manifest(file.circuit())?;
            line.fleet = Some(manifest.is_some_and(|manifest| manifest.key == line.id));
        }
        lines.push(ListLine::Key(line));
    }
    let store = place.store()?;
    for (suite, kind, statement) in CLIENT_VKS {
        let Some(circuit) = client_circuit(suite, kind) else {
            continue;
        };
        match store.client_vk(&circuit) {
            Ok(None) => {}
            Ok(Some(vk)) => lines.push(ListLine::ClientVk(ClientVkLine {
                circuit: format!("{statement}/{suite}"),
                provenance: FROM_OUTSIDE,
                vk: vk_digest(&vk),
                bytes: vk.len() as u64,
            })),
            Err(error) => {
                bad += 1;
                ui::complain(&format!("zkwhirl: {error}"));
            }
        }
    }
    if place.json {
        ui::say(&serde_json::to_string_pretty(&lines)?);
    } else if lines.is_empty() && bad == 0 {
        ui::say(&format!(
            "no keys in {} yet: zkwhirl keys generate makes them, and so does zkwhirl demo",
            place.local().directory().display()
        ));
    } else {
        let header = "circuit|key|>rows|>size|vk|state|provenance";
        ui::say(&table(header, lines.iter().map(row)));
    }
    anyhow::ensure!(
        bad == 0,
        "{bad} keys cannot be used: remove each file, or restore it from a copy"
    );
    Ok(ExitCode::SUCCESS)
}

fn row(line: &ListLine) -> Vec<String> {
    match line {
        ListLine::Key(key) => vec![
            key.circuit.clone(),
            short(&key.id),
            ui::grouped(key.rows),
            ui::bytes(key.bytes),
            short(&key.vk),
            match key.fleet {
                None => "whole",
                Some(true) => "whole, the fleet's",
                Some(false) => "whole, not the fleet's",
            }
            .to_owned(),
            key.provenance.clone(),
        ],
        ListLine::ClientVk(vk) => vec![
            vk.circuit.clone(),
            "–".to_owned(),
            "–".to_owned(),
            ui::bytes(vk.bytes),
            short(&vk.vk),
            "whole, vk only".to_owned(),
            vk.provenance.to_owned(),
        ],
    }
}
