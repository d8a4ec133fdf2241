//! Cases: a household's way into monitoring and out of it.
