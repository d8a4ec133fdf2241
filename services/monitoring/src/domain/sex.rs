//! The sex of a person.

use tongxin_platform::named;

named! {
    /// Sex.
    pub enum Sex {
        /// Male.
        Male = "male",
        /// Female.
        Female = "female",
    }
}
