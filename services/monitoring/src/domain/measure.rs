//! Measures: one household, one policy.

use tongxin_platform::named;

named! {
    /// Families of measures.
    pub enum MeasureFamily {
        /// Industry.
        Industry = "industry",
        /// Employment.
        Employment = "employment",
        /// Finance.
        Finance = "finance",
        /// A public-service post.
        PublicServicePost = "public_service_post",
        /// Housing.
        Housing = "housing",
        /// Drinking water.
        Water = "water",
        /// Health.
        Health = "health",
        /// Compulsory education.
        CompulsoryEducation = "compulsory_education",
        /// Other education.
        OtherEducation = "other_education",
        /// Comprehensive security.
        ComprehensiveSecurity = "comprehensive_security",
        /// Social support.
        SocialSupport = "social_support",
        /// Relocation.
        Relocation = "relocation",
        /// Living conditions.
        LivingConditions = "living_conditions",
        /// Infrastructure.
        Infrastructure = "infrastructure",
    }
}
