//! Writes how the texts of requests are tidied: each of them, so that no method can forget one.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

use crate::{
    is_ours,
    reach::Reach,
    rules::{Extensions, rust_field, rust_path},
};

/// Writes an implementation of `Tidy` for every message of ours; for those that no request holds it does nothing.
pub fn generate(pool: &DescriptorPool, reach: &Reach) -> Result<String> {
    let extensions = Extensions::of(pool)?;
    let mut out = String::new();
    let ours = |message: &MessageDescriptor| is_ours(message.package_name()) && !message.is_map_entry();
    for message in pool.all_messages().filter(ours) {
        let body = if reach.is_sent(&message) { body(&message, &extensions)? } else { String::new() };
        writeln!(out, "impl crate::text::Tidy for {} {{ fn tidy(&mut self) {{\n{body}}} }}", rust_path(&message))?;
    }
    Ok(out)
}

fn body(message: &MessageDescriptor, extensions: &Extensions) -> Result<String> {
    let mut out = String::new();
    for field in message.fields() {
        let is_text = matches!(field.kind(), Kind::String);
        let is_message = matches!(field.kind(), Kind::Message(held) if is_ours(held.package_name()));
        if !is_text && !is_message {
            continue;
        }
        let (name, in_oneof) = (rust_field(&field), field.containing_oneof());
        if field.is_map() || (is_text && in_oneof.is_some()) {
            bail!("a text in a map or a oneof of a request is not known: {}", field.full_name());
        }
        if let Some(oneof) = in_oneof {
            let case = case(message, oneof.name(), &field)?;
            writeln!(
                out,
                "if let Some({case}(held)) = &mut self.{} {{ crate::text::Tidy::tidy(held); }}",
                oneof.name()
            )?;
        } else if is_message {
            // An optional message and a list are walked alike.
            writeln!(out, "self.{name}.iter_mut().for_each(crate::text::Tidy::tidy);")?;
        } else {
            let tidy = if extensions.is_code(&field)? { "tidy_code_text" } else { "tidy_text" };
            if field.is_list() {
                writeln!(out, "self.{name}.iter_mut().for_each(crate::text::{tidy});")?;
            } else {
                writeln!(out, "crate::text::{tidy}(&mut self.{name});")?;
            }
        }
    }
    Ok(out)
}

/// The path of a case of a oneof.
fn case(message: &MessageDescriptor, oneof: &str, field: &FieldDescriptor) -> Result<String> {
    let path = rust_path(message);
    let (module, _) = path.rsplit_once("::").context("a path has segments")?;
    let cases = format!("{module}::{}::{}", message.name().to_snake_case(), oneof.to_upper_camel_case());
    Ok(format!("{cases}::{}", field.name().to_upper_camel_case()))
}

/// Writes functions for tests, which tidy and check a request by its name.
pub fn generate_for_tests(pool: &DescriptorPool, reach: &Reach) -> Result<String> {
    let (mut tidied, mut checked) = (String::new(), String::new());
    let sent = |message: &MessageDescriptor| is_ours(message.package_name()) && reach.is_sent(message);
    for message in pool.all_messages().filter(sent) {
        let (name, path) = (message.full_name(), rust_path(&message));
        write!(tidied, "{name:?} => tidied_as::<crate::contract::{path}>(bytes),")?;
        write!(checked, "{name:?} => checked_as::<crate::contract::{path}>(bytes),")?;
    }
    Ok(format!(
        "fn tidied(name: &str, bytes: &[u8]) -> Vec<u8> {{
            match name {{\n{tidied}_ => panic!(\"the build does not know {{name}}\"),\n}}
        }}
        fn checked(name: &str, bytes: &[u8]) -> Vec<crate::rules::Violation> {{
            match name {{\n{checked}_ => panic!(\"the build does not know {{name}}\"),\n}}
        }}\n"
    ))
}
