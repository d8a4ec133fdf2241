//! Writes the words of all enumerations of ours: `serious_illness` for `HEALTH_SERIOUS_ILLNESS`.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use prost_reflect::{DescriptorPool, EnumDescriptor};

use crate::{is_ours, rules::rust_name};

/// Writes an implementation of `Word` for every enumeration of ours.
pub fn generate(pool: &DescriptorPool) -> Result<String> {
    let mut out = String::new();
    for kind in pool.all_enums().filter(|kind| is_ours(kind.package_name())) {
        let path = rust_name(kind.package_name(), kind.name());
        let words = words(&kind)?;
        writeln!(
            out,
            "impl crate::words::Word for {path} {{ const WORDS: &'static [(i32, &'static str)] = &{words:?}; }}"
        )?;
    }
    Ok(out)
}

/// The number and word of each value but the one that says nothing, which is the first of each enumeration.
pub fn words(kind: &EnumDescriptor) -> Result<Vec<(i32, String)>> {
    let nothing = kind.default_value();
    let of_kind =
        || format!("in {}: the names of values begin alike, and the first ends in UNSPECIFIED", kind.full_name());
    let prefix = nothing.name().strip_suffix("UNSPECIFIED").with_context(of_kind)?;
    let others = kind.values().filter(|value| *value != nothing);
    let word = |name: &str| name.strip_prefix(prefix).map(str::to_ascii_lowercase).with_context(of_kind);
    others.map(|value| Ok((value.number(), word(value.name())?))).collect()
}
