//! A data-quality rule, and what rules say of an entry.

use tongxin_platform::error::Refusal;

use super::Dossier;

/// What a rule does at entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The entry is taken, with a warning: strange, but it happens.
    Warn,
    /// The entry is refused: no truth can be behind it.
    Refuse,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Number, 1 to 999.
    pub number: i16,
    /// What is wrong when it finds something, in Chinese.
    pub name_zh: &'static str,
    /// The same in English.
    pub name_en: &'static str,
    /// What it does at entry.
    pub severity: Severity,
    /// Whether it finds fault.
    pub(super) finds: fn(&Dossier) -> bool,
}

impl Rule {
    pub(super) const fn warn(
        number: i16,
        name_zh: &'static str,
        name_en: &'static str,
        finds: fn(&Dossier) -> bool,
    ) -> Self {
        Self { number, name_zh, name_en, severity: Severity::Warn, finds }
    }

    pub(super) const fn refuse(
        number: i16,
        name_zh: &'static str,
        name_en: &'static str,
        finds: fn(&Dossier) -> bool,
    ) -> Self {
        Self { number, name_zh, name_en, severity: Severity::Refuse, finds }
    }
}

/// What the rules say of an entry.
#[derive(Debug, Default)]
pub struct Findings {
    /// Rules that refuse it.
    pub refused: Vec<&'static Rule>,
    /// Rules that warn of it.
    pub warned: Vec<&'static Rule>,
}

impl Findings {
    pub(super) fn of(groups: &[&'static [Rule]], dossier: &Dossier) -> Self {
        let found = groups.iter().copied().flatten().filter(|rule| (rule.finds)(dossier));
        let (refused, warned) = found.partition(|rule| rule.severity == Severity::Refuse);
        Self { refused, warned }
    }

    /// The numbers of the rules that warn.
    ///
    /// # Errors
    /// The first rule that refuses.
    pub fn accept(&self) -> Result<Vec<i32>, QualityRefused> {
        match self.refused.first() {
            Some(rule) => Err(QualityRefused(rule)),
            None => Ok(self.warned.iter().map(|rule| rule.number.into()).collect()),
        }
    }
}

/// An entry behind which no truth can be.
#[derive(Debug, Clone, Copy, thiserror::Error, Refusal)]
#[refusal(FailedPrecondition, "DATA_QUALITY")]
#[error("data-quality rule {}: {} ({})", .0.number, .0.name_en, .0.name_zh)]
pub struct QualityRefused(pub &'static Rule);
