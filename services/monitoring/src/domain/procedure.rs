//! The steps of the procedure, and how their deadlines are counted.

use tongxin_platform::named;

named! {
    /// The steps in order. Identification and removal take the same ones.
    pub enum Step {
        /// The household signed the authorisation.
        Authorisation = "authorisation",
        HomeVerification = "home_verification",
        /// Compared with departments' data.
        DataComparison = "data_comparison",
        /// In the village.
        DemocraticReview = "democratic_review",
        NoticePosted = "notice_posted",
        NoticeEnded = "notice_ended",
        TownReview = "town_review",
        CountyApproval = "county_approval",
    }
}

named! {
    /// How the days of a deadline are counted.
    pub enum DayKind {
        Calendar = "calendar",
        Working = "working",
    }
}

impl Step {
    pub const FIRST: Self = Self::Authorisation;

    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self.index() + 1).copied()
    }
}
