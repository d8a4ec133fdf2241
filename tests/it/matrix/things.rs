//! What a place has: the identifiers by which callers name things.

use std::collections::BTreeMap;

use tongxin_tests::entries::{id_number, request_id};

/// Identifiers of the things of one village, by their names in `entries.rs`.
#[derive(Debug, Clone, Default)]
pub struct Things(pub BTreeMap<&'static str, String>);

/// Those that are not secret elsewhere: codes of what lies above, and what every region reads.
const OPEN: [&str; 6] = ["town", "county", "around", "supporter", "year", "order"];

impl Things {
    pub fn get(&self, name: &'static str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("a place has no {name}: make one in world.rs"))
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.insert(name, value.into());
    }

    /// Things of the same kinds that are nowhere.
    pub fn absent(&self) -> Self {
        let absent = |(name, value): (&&'static str, &String)| {
            let value = match *name {
                "village" | "around" if !value.ends_with("000000") => format!("{}999999", &value[..6]),
                "town" => format!("{}999000", &value[..6]),
                // What is around is of the level that it has.
                "county" | "around" => format!("{}98000000", &value[..4]),
                // Read everywhere, or no identifier.
                "supporter" | "year" | "order" => value.clone(),
                "number" => value.replace('7', "8"),
                "id_number" => id_number(77, self.get("order").parse::<usize>().unwrap() + 5_000),
                _ => request_id(),
            };
            (*name, value)
        };
        Self(self.0.iter().map(absent).collect())
    }

    /// A text in which these things are called by their names.
    pub fn named_in(&self, text: &str, whose: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.0 {
            // Which of two households a refusal names follows from the order of their identifiers.
            let kind = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '_');
            if !["year", "order"].contains(&kind) {
                text = text.replace(value, &format!("<{whose}{kind}>"));
            }
        }
        text
    }

    /// Values that nobody learns who does not hold the village.
    pub fn secrets(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|(name, _)| !OPEN.contains(name)).map(|(_, value)| value)
    }
}
