//! The register of regions.

use chrono::NaiveDate;
use tongxin_platform::{
    error::Refusal,
    region::{Level, RegionCode},
    register::{self, RegionLevel},
};

use super::period::Period;

/// A node of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// What all services know of it.
    pub registered: register::Region,
    /// When it last counted as assisted.
    pub assisted: Option<Period>,
}

/// A row of an edition of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterRow {
    pub code: RegionCode,
    pub name: String,
    /// Its level.
    pub level: RegionLevel,
    /// Its parent's code.
    pub parent: Option<RegionCode>,
    /// Whether it is an assisted town or village.
    pub assisted: bool,
}

/// A row that contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The level is not that of the code's last segment.
    #[error("the level does not agree with the code: its last segment that is not zero is that of a {0}")]
    Level(&'static str),
    /// The parent does not contain the region.
    #[error("the parent does not contain the region")]
    Parent,
    /// Only towns and villages are assisted.
    #[error("only towns and villages can be assisted")]
    Assisted,
}

impl RegisterRow {
    /// Checks that the row is consistent.
    ///
    /// # Errors
    /// The contradiction.
    pub fn check(&self) -> Result<(), RowError> {
        if self.code.level() != level_of_code(self.level) {
            return Err(RowError::Level(self.code.level().name()));
        }
        if self.parent.is_some_and(|parent| parent == self.code || !parent.contains(self.code)) {
            return Err(RowError::Parent);
        }
        if self.assisted && !matches!(self.level, RegionLevel::Town | RegionLevel::Village) {
            return Err(RowError::Assisted);
        }
        Ok(())
    }
}

/// The level of the code's segments.
const fn level_of_code(level: RegionLevel) -> Level {
    match level {
        RegionLevel::Province => Level::Province,
        RegionLevel::City => Level::City,
        RegionLevel::County => Level::County,
        RegionLevel::Town => Level::Town,
        RegionLevel::Village | RegionLevel::Community => Level::Village,
    }
}

/// An edition of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// First day on which it is in force.
    pub effective_from: NaiveDate,
    /// The region for which it contains every code.
    pub complete_for: Option<RegionCode>,
    /// Expected number of rows, if given.
    pub row_count: Option<i64>,
    pub source: String,
}

/// More or fewer rows than the edition was said to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Refusal)]
#[refusal(Invalid, "ROW_COUNT_WRONG", field = "row_count")]
#[error(
    "{received} rows came, {stated} were stated: is the file cut off, or another one? Nothing was taken; \
     send the whole edition, or state the number of rows that it has"
)]
pub struct RowCountWrong {
    pub stated: i64,
    pub received: i64,
}

impl Edition {
    /// Checks the number of rows against the expected one.
    ///
    /// # Errors
    /// If there are more or fewer.
    pub fn check_count(&self, received: i64) -> Result<(), RowCountWrong> {
        match self.row_count {
            Some(stated) if stated != received => Err(RowCountWrong { stated, received }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(code: &str, level: RegionLevel, parent: &str, assisted: bool) -> RegisterRow {
        let region = |text| RegionCode::parse(text).unwrap();
        RegisterRow { code: region(code), name: "太平镇".to_owned(), level, parent: Some(region(parent)), assisted }
    }

    #[test]
    fn a_row_agrees_with_its_code() {
        use RegionLevel::{Community, County, Town, Village};
        let check = |code, level, parent, assisted| row(code, level, parent, assisted).check();
        assert_eq!(check("441823107201", Village, "441823107000", true), Ok(()));
        assert_eq!(check("441823107001", Community, "441823107000", false), Ok(()));
        assert_eq!(check("441823107201", Town, "441823107000", false), Err(RowError::Level("village")));
        assert_eq!(check("441823107201", Village, "441825104000", false), Err(RowError::Parent));
        assert_eq!(check("441823107000", Town, "441823107000", false), Err(RowError::Parent));
        assert_eq!(check("441823000000", County, "441800000000", true), Err(RowError::Assisted));
        assert_eq!(check("441823107001", Community, "441823107000", true), Err(RowError::Assisted));
    }
}
