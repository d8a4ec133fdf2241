//! The language in which commands speak: `--lang`, otherwise that of the system.

mod help;
mod reasons;

use std::{ffi::OsString, sync::OnceLock};

pub use tongxin_files::Lang;

pub use help::translated;
pub use reasons::reason;

static LANG: OnceLock<Lang> = OnceLock::new();

/// The language of this process; English until [`choose`] was called.
pub fn lang() -> Lang {
    LANG.get().copied().unwrap_or_default()
}

/// Chooses the language, before arguments are parsed: their help is in it.
pub fn choose(arguments: &[OsString], locale: &str) {
    let chosen = stated(arguments).unwrap_or_else(|| Lang::of_locale(locale));
    // Only the first call has an effect, and there is one.
    let _ = LANG.set(chosen);
}

/// The value of `--lang`; whatever else is wrong with it, the parser of arguments says.
fn stated(arguments: &[OsString]) -> Option<Lang> {
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        let value = match argument.split_once('=') {
            Some(("--lang", value)) => value.to_owned(),
            None if argument == "--lang" => arguments.next()?.into_owned(),
            _ => continue,
        };
        return Some(Lang::of_locale(&value));
    }
    None
}

/// One of two texts with the same values in them.
macro_rules! told {
    ($en:literal, $zh:literal $(, $($value:tt)*)?) => {
        match $crate::lang::lang() {
            $crate::lang::Lang::En => format!($en $(, $($value)*)?),
            $crate::lang::Lang::Zh => format!($zh $(, $($value)*)?),
        }
    };
}
pub(crate) use told;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_that_of_the_option_or_of_the_system() {
        let arguments = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (line, expected) in [
            ("tongxin import households x.csv --lang zh", Some(Lang::Zh)),
            ("tongxin --lang=en import", Some(Lang::En)),
            ("tongxin --lang", None),
            ("tongxin import", None),
        ] {
            assert_eq!(stated(&arguments(line)), expected, "{line}");
        }
    }
}
