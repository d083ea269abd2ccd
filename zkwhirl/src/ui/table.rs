//! Tables.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

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
