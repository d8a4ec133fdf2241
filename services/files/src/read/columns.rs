//! Where the field of an error stands in a file.

use std::{collections::HashMap, sync::Arc};

/// The columns of a file that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The heading of each field of a row, as the file has it, by the field's path: `members.id_number`.
    pub(super) by_path: HashMap<String, Arc<str>>,
}

impl Columns {
    /// The heading of the field of an error such as `members[2].id_number`, and which line of the row it is in.
    #[must_use]
    pub fn of_field(&self, field: &str) -> (Option<Arc<str>>, usize) {
        let (mut path, mut line) = (String::new(), 0);
        for (at, part) in field.split('[').enumerate() {
            let part = match (at, part.split_once(']')) {
                (0, _) | (_, None) => part,
                (_, Some((index, rest))) => {
                    line = index.parse().unwrap_or(0);
                    rest
                }
            };
            path.push_str(part);
        }
        let heading = self.by_path.get(&path).cloned();
        // A list in one cell has an index, too: `shocks[1].loss_fen`.
        let in_cell = || field.split(['[', '.']).next().and_then(|first| self.by_path.get(first).cloned());
        match heading {
            Some(heading) => (Some(heading), line),
            None => (in_cell(), 0),
        }
    }
}
