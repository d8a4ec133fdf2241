//! Risks of households.

use tongxin_platform::named;

named! {
    /// A risk of a household; also the cause of a signal.
    pub enum Risk {
        /// Illness (因病).
        Illness = "illness",
        /// Schooling (因学).
        Schooling = "schooling",
        /// Disability (因残).
        Disability = "disability",
        /// Natural disaster (因自然灾害).
        NaturalDisaster = "natural_disaster",
        /// Accident (因意外事故).
        Accident = "accident",
        /// Failure of a business (因产业项目失败).
        BusinessFailure = "business_failure",
        /// Unstable employment (因务工就业不稳).
        UnstableEmployment = "unstable_employment",
        /// Lack of labour (缺劳动力).
        LackOfLabour = "lack_of_labour",
        /// Housing (因住房出现安全问题).
        Housing = "housing",
        /// Drinking water (因饮水出现安全问题).
        Water = "water",
        /// Anything else; a remark says what (其他).
        Other = "other",
    }
}

named! {
    pub enum Disaster {
        Flood = "flood",
        Geological = "geological",
        Drought = "drought",
        Biological = "biological",
        Weather = "weather",
        Earthquake = "earthquake",
        Other = "other",
    }
}
