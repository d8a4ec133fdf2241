//! The steps of the procedure, and how their deadlines are counted.

use tongxin_platform::named;

named! {
    /// A step, in the order in which they are taken. Identification and removal take the same steps.
    pub enum Step {
        /// The household signed the authorisation.
        Authorisation = "authorisation",
        /// Verified at home.
        HomeVerification = "home_verification",
        /// Compared with departments' data.
        DataComparison = "data_comparison",
        /// Democratic review in the village.
        DemocraticReview = "democratic_review",
        /// The public notice was put up.
        NoticePosted = "notice_posted",
        /// The public notice was taken down.
        NoticeEnded = "notice_ended",
        /// Reviewed by the town.
        TownReview = "town_review",
        /// Approved by the county.
        CountyApproval = "county_approval",
    }
}

named! {
    /// How the days of a deadline are counted.
    pub enum DayKind {
        /// Every day of the calendar.
        Calendar = "calendar",
        /// Working days.
        Working = "working",
    }
}

impl Step {
    /// The first step.
    pub const FIRST: Self = Self::Authorisation;

    /// The step after it; `None` after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.get(self.index() + 1).copied()
    }
}
