//! `zkwhirl keys remove`.

use std::{
    io::{self, BufRead, IsTerminal},
    process::ExitCode,
};

use super::{KeyLine, short};
use crate::{cli::RemoveArgs, shell::exit, ui};

pub(super) fn run(args: &RemoveArgs) -> anyhow::Result<ExitCode> {
    let (keys, _) = args.place.named(&args.keys)?;
    let fleet = args.place.fleet()?;
    let lines: Vec<KeyLine> = keys.iter().map(KeyLine::of).collect();
    if !args.yes && !agreed(&lines)? {
        ui::say("nothing was removed");
        return Ok(ExitCode::SUCCESS);
    }
    for (key, line) in keys.into_iter().zip(&lines) {
        let of_the_fleet = match &fleet {
            Some(fleet) => fleet.remove(key)?,
            None => {
                let path = key.path().to_owned();
                // An open key counts as in use and cannot be removed.
                drop(key);
                args.place.local().remove(&path)?;
                false
            }
        };
        if !args.place.json {
            ui::say(&format!("removed {}  {}", line.circuit, short(&line.id)));
        }
        if of_the_fleet {
            ui::complain(
                "the fleet used this key: a machine that still has the key will publish it to \
                 the fleet again; remove the key there too",
            );
        }
    }
    if args.place.json {
        ui::say(&serde_json::to_string_pretty(&lines)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks for confirmation on the terminal.
fn agreed(keys: &[KeyLine]) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        return Err(exit::usage(anyhow::anyhow!(
            "standard input is not a terminal: add --yes to remove {} keys",
            keys.len()
        )));
    }
    for key in keys {
        let (id, size) = (short(&key.id), ui::bytes(key.bytes));
        ui::say(&format!(
            "{}  {id}  {size}  {}",
            key.circuit, key.provenance
        ));
    }
    ui::complain("remove? a newly generated key will need another verification key [y/N]");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
