//! A tally, and what counting does to it.

use tongxin_platform::{change::Change, region::RegionCode};

/// How much of something was counted in a village.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The village.
    pub region: RegionCode,
    /// What is counted there.
    pub name: String,
    /// What the counts come to.
    pub reached: i64,
}

/// Something was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// By how much.
    pub by: i64,
}

/// More was to be taken back than was counted.
#[derive(Debug, PartialEq, Eq)]
pub struct BelowZero;

impl Tally {
    /// Counts so many more, or fewer if what was counted by mistake is taken back.
    pub fn count(self, by: i64) -> Result<Change<Self, Counted>, BelowZero> {
        match self.reached + by {
            ..0 => Err(BelowZero),
            _ if by == 0 => Ok(Change::none(self)),
            reached => Ok(Change::one(Self { reached, ..self }, Counted { by })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_back_than_was_counted() {
        let wells = Tally { region: RegionCode::COUNTRY, name: "wells".to_owned(), reached: 2 };
        assert_eq!(wells.clone().count(-3), Err(BelowZero));
        assert_eq!(wells.clone().count(0), Ok(Change::none(wells.clone())));
        let none = Tally { reached: 0, ..wells.clone() };
        assert_eq!(wells.count(-2), Ok(Change::one(none, Counted { by: -2 })));
    }
}
