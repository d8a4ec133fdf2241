//! Writes what each row is about, by the option `key` of its fields.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use prost_reflect::{DescriptorPool, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use crate::{
    is_ours,
    rules::{rust_field, rust_path},
};

/// As `tongxin.options.v1.Key` numbers them.
const UNSPECIFIED: i32 = 0;
const WHOLE: i32 = 1;
const COUNTY: i32 = 2;
const OTHERWISE: i32 = 3;

/// Writes an implementation of `Keyed` for every message of ours.
pub fn generate(pool: &DescriptorPool) -> Result<String> {
    let option = pool.get_extension_by_name("tongxin.options.v1.key").context("no option `key`")?;
    let mut out = String::new();
    let ours = |message: &MessageDescriptor| is_ours(message.package_name()) && !message.is_map_entry();
    for message in pool.all_messages().filter(ours) {
        let mut parts = String::new();
        for field in message.fields() {
            parts += &part(&field, &option).with_context(|| format!("key of {}", field.full_name()))?;
        }
        let body = if parts.is_empty() {
            "None".to_owned()
        } else {
            format!("let mut key = crate::keyed::Key::default();\n{parts}key.end()")
        };
        let path = rust_path(&message);
        writeln!(out, "impl crate::Keyed for {path} {{ fn key(&self) -> Option<Vec<u8>> {{\n{body}\n}} }}")?;
    }
    Ok(out)
}

/// The statement that adds a field to the key; empty for a field that is none of it.
fn part(field: &FieldDescriptor, option: &ExtensionDescriptor) -> Result<String> {
    let key = field.options().get_extension(option).as_enum_number().unwrap_or(UNSPECIFIED);
    let name = rust_field(field);
    if key != UNSPECIFIED && (field.is_list() || field.is_map() || field.containing_oneof().is_some()) {
        bail!("is known for single fields outside of a oneof");
    }
    Ok(match (key, field.kind()) {
        (UNSPECIFIED, _) => String::new(),
        (WHOLE, Kind::String) => format!("key.text(&self.{name});\n"),
        (WHOLE, Kind::Enum(_) | Kind::Int32) => format!("key.number(self.{name}.into());\n"),
        (WHOLE, Kind::Int64) => format!("key.number(self.{name});\n"),
        (WHOLE, Kind::Message(_)) => format!("key.message(self.{name}.as_ref());\n"),
        (OTHERWISE, Kind::String) => format!("key.otherwise_text(&self.{name});\n"),
        (OTHERWISE, Kind::Enum(_)) => format!("key.otherwise_number(self.{name}.into());\n"),
        (COUNTY, Kind::String) => format!("key.county(&self.{name});\n"),
        (_, kind) => bail!("key {key} is not known for {kind:?}"),
    })
}
