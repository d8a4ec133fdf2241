//! What an indicator is.

/// Something that a scorecard shows.
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
    /// How its value comes about.
    pub kind: Kind,
    /// Full name of the event that contributes; empty for ratios.
    pub source_event: &'static str,
    /// What exactly is counted.
    pub definition: &'static str,
    /// The indicator that it breaks down by a category or a risk.
    pub breakdown_of: Option<&'static Indicator>,
    /// Whether it counts households, cases or signals, or follows from such figures: a person more or less would show.
    pub about_persons: bool,
    /// Whether the figure of a region is the sum over the regions in it. Where it is not, events
    /// state what counts at each level.
    pub adds_up: bool,
}

/// How an indicator's value comes about.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// Count on a day: all facts up to that day.
    Stock,
    /// Amount within a period: the facts of the calendar year up to the day.
    Flow,
    /// What a stock changed by within the calendar year up to the day. It has no facts of its own.
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
    /// The service whose events add to it; of a ratio none.
    #[must_use]
    pub fn source(&self) -> Option<&'static str> {
        self.source_event.split('.').nth(1)
    }

    /// Whether events add to it; others follow from those that they do add to.
    #[must_use]
    pub fn has_facts(&self) -> bool {
        matches!(self.kind, Kind::Stock | Kind::Flow)
    }
}
