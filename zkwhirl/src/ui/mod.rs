//! Output for people. Every printed line goes through this module.

pub(crate) mod bar;

use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// The limitation that every report about the pedersen suite states.
pub(crate) const PLONK_CLIENTS: &str = "the clients' PLONK proofs are not covered";

/// True if standard output is a terminal.
pub(crate) fn terminal() -> bool {
    io::stdout().is_terminal()
}

/// Prints one line on standard output. A closed pipe is ignored.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// A number with its digits in groups of three: `1,087,848`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The given percentile of a sorted list; `None` for an empty list.
pub(crate) fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied()
}

/// Bytes for people: `402.6 MB`.
pub(crate) fn bytes(number: u64) -> String {
    match number {
        0..10_000 => format!("{} B", grouped(number)),
        10_000..10_000_000 => format!("{:.1} kB", number as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", number as f64 / 1e6),
        _ => format!("{:.1} GB", number as f64 / 1e9),
    }
}

/// A duration for people: `0.42 s`, `17.0 s`, `2 min 03 s`.
pub(crate) fn seconds(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", seconds as u64 / 60, seconds as u64 % 60)
    }
}

/// A table. `header` has a name for each column, separated by `|`; a column whose
/// name follows `>` is aligned right.
pub(crate) fn table(header: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let names = header.split('|');
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(names.clone().map(|name| name.trim_start_matches('>')))
        .add_rows(rows);
    for (place, name) in names.enumerate() {
        if let Some(column) = table.column_mut(place) {
            column.set_padding((u16::from(place > 0), 1));
            if name.starts_with('>') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_087_848), "1,087,848");
        assert_eq!(bytes(4_413), "4,413 B");
        assert_eq!(bytes(402_600_000), "402.6 MB");
        assert_eq!(seconds(Duration::from_millis(420)), "0.42 s");
        assert_eq!(seconds(Duration::from_secs(123)), "2 min 03 s");
    }

    #[test]
    fn percentiles_of_few_values() {
        assert_eq!(percentile(&[1, 2, 3, 4], 50), Some(2));
        assert_eq!(percentile(&[1, 2, 3, 4], 95), Some(4));
        assert_eq!(percentile::<u8>(&[], 50), None);
    }
}
