//! Keyset pagination.

mod key;

use std::{fmt::Display, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

pub use key::{NotAPageKey, PageKey};

const DEFAULT_SIZE: i32 = 50;

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<Key> {
    /// Maximum number of rows, 1 to 1,000.
    pub size: i64,
    /// Rows with greater keys are returned; `None` starts at the beginning.
    pub after: Option<Key>,
}

/// A page token that this service did not issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a next_page_token of an earlier answer")]
pub struct NotAPageToken;

impl<Key: FromStr> Page<Key> {
    /// Reads the paging fields of a request. The contract bounds the size.
    ///
    /// # Errors
    /// If the token is invalid.
    pub fn parse(size: i32, token: &str) -> Result<Self, NotAPageToken> {
        let size = if size == 0 { DEFAULT_SIZE } else { size };
        let after = match token {
            "" => None,
            token => Some(decode(token).ok_or(NotAPageToken)?),
        };
        Ok(Self { size: size.into(), after })
    }
}

impl<Key: Display> Page<Key> {
    /// Cuts rows that were read with a limit of [`fetch`](Self::fetch) to the page, and returns the token of the next
    /// page; empty on the last.
    pub fn cut<Row>(&self, mut rows: Vec<Row>, key: impl Fn(&Row) -> Key) -> (Vec<Row>, String) {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let token = match rows.last() {
            Some(last) if more => URL_SAFE_NO_PAD.encode(key(last).to_string()),
            _ => String::new(),
        };
        (rows, token)
    }

    /// How many rows to read: one more than the page has, which tells whether there are more.
    pub fn fetch(&self) -> i64 {
        self.size + 1
    }
}

fn decode<Key: FromStr>(token: &str) -> Option<Key> {
    let text = URL_SAFE_NO_PAD.decode(token).ok()?;
    std::str::from_utf8(&text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap() {
        let rows: Vec<i64> = (1..=7).collect();
        let mut page = Page::<i64>::parse(3, "").unwrap();
        let mut seen = Vec::new();
        loop {
            let read = rows.iter().copied().filter(|row| Some(*row) > page.after);
            let (part, token) = page.cut(read.take(4).collect(), |row| *row);
            seen.extend(part);
            if token.is_empty() {
                break;
            }
            page = Page::parse(3, &token).unwrap();
        }
        assert_eq!(seen, rows);
    }

    #[test]
    fn a_foreign_token_is_refused() {
        assert_eq!(Page::<i64>::parse(3, "%%%"), Err(NotAPageToken));
        assert_eq!(Page::<i64>::parse(3, "bm90IGEgbnVtYmVy"), Err(NotAPageToken));
    }
}
