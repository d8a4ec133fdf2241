//! The sex of a person.

use tongxin_platform::named;

named! {
    pub enum Sex {
        Male = "male",
        Female = "female",
    }
}
