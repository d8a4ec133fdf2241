//! Tables for a terminal, where Chinese characters are two columns wide.

use unicode_width::UnicodeWidthStr as _;

/// Aligns the cells of rows; `right` lists the right-aligned columns.
pub fn render(rows: &[Vec<String>], right: &[usize]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[column] - cell.width());
            line += "  ";
            line += &if right.contains(&column) { padding + cell } else { cell.clone() + &padding };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Escapes control and direction characters, with which the author of a text could forge output lines.
fn printable(text: &str) -> String {
    let steers = |char: char| {
        char.is_control() || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut text, char| {
        if steers(char) {
            text.extend(char.escape_default());
        } else {
            text.push(char);
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_latin_cells_line_up() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let table = render(&[row(["帮扶村数", "Assisted", "289"]), row(["x", "y", "12"])], &[2]);
        assert_eq!(table, "  帮扶村数  Assisted  289\n  x         y          12\n");
    }

    #[test]
    fn a_cell_cannot_write_a_line_of_its_own() {
        let forged = "x\n  verdict  good\u{1b}[8m\u{202e}".to_owned();
        assert_eq!(render(&[vec![forged]], &[]), "  x\\n  verdict  good\\u{1b}[8m\\u{202e}\n");
    }

    #[test]
    fn nothing_makes_an_empty_table() {
        assert_eq!(render(&[], &[]), "");
    }
}
