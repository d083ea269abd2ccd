//! `zkwhirl keys list`.

use std::process::ExitCode;

use super::{KeyLine, short};
use crate::{
    cli::ListArgs,
    ui::{self, table::table},
};

pub(super) fn run(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let fleet = args.place.fleet()?;
    let (files, bad) = args.place.keys()?;
    let mut keys = Vec::new();
    for file in &files {
        let mut line = KeyLine::of(file);
        if let Some(fleet) = &fleet {
            let manifest = fleet.manifest(file.circuit())?;
            line.fleet = Some(manifest.is_some_and(|manifest| manifest.key == line.id));
        }
        keys.push(line);
    }
    if args.json {
        ui::say(&serde_json::to_string_pretty(&keys)?);
    } else if keys.is_empty() && bad == 0 {
        ui::say(&format!(
            "no keys in {} yet: zkwhirl demo or zkwhirl keys generate makes them",
            args.place.local().directory().display()
        ));
    } else {
        let rows = keys.iter().map(row).collect();
        let header = [
            "circuit",
            "key",
            "rows",
            "size",
            "vk",
            "state",
            "provenance",
        ];
        ui::say(&table(&header, &["rows", "size"], rows));
    }
    anyhow::ensure!(
        bad == 0,
        "{bad} keys cannot be used: remove each file, or put its copy back"
    );
    Ok(ExitCode::SUCCESS)
}

fn row(key: &KeyLine) -> Vec<String> {
    let state = match key.fleet {
        None => "whole",
        Some(true) => "whole, the fleet's",
        Some(false) => "whole, not the fleet's",
    };
    vec![
        key.circuit.clone(),
        short(&key.id),
        ui::grouped(key.rows),
        ui::bytes(key.bytes),
        short(&key.vk),
        state.to_owned(),
        key.provenance.clone(),
    ]
}
