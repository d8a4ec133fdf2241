//! Indicators.

/// A figure of the scorecard.
#[derive(Debug, PartialEq, Eq)]
pub struct Indicator {
    /// Stable identifier.
    pub id: &'static str,
    /// Name in Chinese.
    pub name_zh: &'static str,
    /// Name in English.
    pub name_en: &'static str,
    /// Unit in the plural.
    pub unit: &'static str,
    /// How its value is computed.
    pub kind: Kind,
    /// Full name of the event that contributes; empty for ratios.
    pub source_event: &'static str,
    /// What exactly is counted.
    pub definition: &'static str,
    /// The indicator that it is a part of, by category or risk.
    pub breakdown_of: Option<&'static Indicator>,
    /// Whether it counts households, cases or signals, or is computed from such figures: it would reveal a single
    /// person.
    pub about_persons: bool,
    /// Whether the figure of a region is the sum of the regions in it. If not, events carry the changes for each level.
    pub adds_up: bool,
}

/// How an indicator's value is computed.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// Count on a day: the sum of all facts up to that day.
    Stock,
    /// Amount in a period: the sum of the facts of the calendar year up to the day.
    Flow,
    /// Change of a stock within the calendar year up to the day. It has no facts of its own.
    FlowOf(&'static Indicator),
    /// Share of one indicator in another.
    Ratio {
        /// The part.
        part: &'static Indicator,
        /// The whole.
        whole: &'static Indicator,
    },
}

impl Indicator {
    /// The service whose events contribute to it; `None` for ratios.
    #[must_use]
    pub fn source(&self) -> Option<&'static str> {
        self.source_event.split('.').nth(1)
    }

    /// Whether events contribute to it directly; other indicators are computed from these.
    #[must_use]
    pub fn has_facts(&self) -> bool {
        matches!(self.kind, Kind::Stock | Kind::Flow)
    }
}
