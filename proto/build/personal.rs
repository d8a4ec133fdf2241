//! Turns the option `personal` into Rust that takes such fields out of a message. What holds none costs nothing.

use std::{collections::HashMap, fmt::Write as _};

use anyhow::{Context as _, Result, bail};
use prost_reflect::{DescriptorPool, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use crate::{
    is_ours,
    rules::{rust_field, rust_path},
};

/// Writes an implementation of `Personal` for every message of ours.
pub fn generate(pool: &DescriptorPool) -> Result<String> {
    let option = pool.get_extension_by_name("tongxin.options.v1.personal").context("no option `personal`")?;
    let mut holding = Holding { option, known: HashMap::new() };
    let mut out = String::new();
    let ours = |message: &MessageDescriptor| is_ours(message.package_name()) && !message.is_map_entry();
    for message in pool.all_messages().filter(ours) {
        let any = holding.any(&message);
        let strip = strip(&message, &mut holding).with_context(|| format!("personal in {}", message.full_name()))?;
        let marked = message.fields().filter(|field| holding.is_marked(field)).map(|field| rust_field(&field));
        let adopt = marked.fold(String::new(), |adopt, field| adopt + &format!("self.{field} = from.{field};\n"));
        let from = if adopt.is_empty() { "_" } else { "from" };
        writeln!(
            out,
            "impl crate::personal::Personal for {} {{
                const ANY: bool = {any};
                fn strip(&mut self) {{\n{strip}}}
                fn adopt(&mut self, {from}: Self) {{\n{adopt}}}
            }}",
            rust_path(&message)
        )?;
    }
    Ok(out)
}

/// Which messages hold something personal, themselves or in what is in them.
struct Holding {
    option: ExtensionDescriptor,
    known: HashMap<String, bool>,
}

impl Holding {
    fn is_marked(&self, field: &FieldDescriptor) -> bool {
        field.options().get_extension(&self.option).as_bool() == Some(true)
    }

    fn any(&mut self, message: &MessageDescriptor) -> bool {
        let name = message.full_name();
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        // A message within itself adds nothing.
        self.known.insert(name.to_owned(), false);
        let any = message.fields().any(|field| self.is_marked(&field) || self.is_within(&field));
        self.known.insert(name.to_owned(), any);
        any
    }

    fn is_within(&mut self, field: &FieldDescriptor) -> bool {
        matches!(field.kind(), Kind::Message(message) if self.any(&message))
    }
}

fn strip(message: &MessageDescriptor, holding: &mut Holding) -> Result<String> {
    let mut out = String::new();
    for field in message.fields() {
        let name = rust_field(&field);
        let (marked, within) = (holding.is_marked(&field), holding.is_within(&field));
        if (marked || within) && (field.is_map() || field.containing_oneof().is_some_and(|_| marked)) {
            bail!("what is personal in a map or a oneof is not known: {}", field.full_name());
        }
        if marked {
            writeln!(out, "self.{name} = Default::default();")?;
        } else if within && let Some(oneof) = field.containing_oneof() {
            // A part of a stream: it is taken out as a whole.
            writeln!(out, "self.{} = None;", oneof.name())?;
        } else if within {
            // An optional message and a list are walked alike.
            writeln!(out, "self.{name}.iter_mut().for_each(crate::personal::Personal::strip);")?;
        }
    }
    Ok(out)
}
