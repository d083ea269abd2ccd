//! Tables.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// A table with a header; columns named in `right` are aligned right.
pub(crate) fn table(header: &[&str], right: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for (place, name) in header.iter().enumerate() {
        if let Some(column) = table.column_mut(place) {
            column.set_padding((if place == 0 { 0 } else { 1 }, 1));
            if right.contains(name) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table.trim_fmt()
}
