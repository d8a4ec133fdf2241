//! Writes what all streams of rows have in common, and all requests with an identifier.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use heck::ToSnakeCase as _;
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

use crate::{is_ours, rules::rust_path};

/// Implements `Parts` for every message that is a part of a stream of rows, `HasOutcome` or `From` for every one that holds what
/// became of them and nothing else, and `Identified` for every one that has a `request_id`.
pub fn generate(pool: &DescriptorPool) -> Result<String> {
    let mut out = String::new();
    for message in pool.all_messages().filter(|message| is_ours(message.package_name())) {
        let has = |name: &str| message.get_field_by_name(name).is_some();
        if has("options") && has("rows") {
            out += &parts(&message).with_context(|| format!("in {}", message.full_name()))?;
        }
        let mut fields = message.fields();
        if let (Some(outcome), None) = (fields.next(), fields.next())
            && let Kind::Message(held) = outcome.kind()
        {
            let (path, field) = (rust_path(&message), outcome.name());
            match held.full_name() {
                "tongxin.batch.v1.Outcome" => out += &has_outcome(&path, field),
                "tongxin.batch.v1.ImportStatus" => out += &made_of(&path, field, "tongxin::batch::v1::ImportStatus"),
                _ => {}
            }
        }
        let text = message.get_field_by_name("request_id").filter(|field| matches!(field.kind(), Kind::String));
        if text.is_some() {
            let path = rust_path(&message);
            writeln!(
                out,
                "impl crate::Identified for {path} {{ fn request_id(&self) -> &str {{ &self.request_id }} }}"
            )?;
        }
    }
    Ok(out)
}

fn parts(message: &MessageDescriptor) -> Result<String> {
    const SHAPE: &str = "`options` and `rows` make a stream of rows: messages, in a oneof named `part`; the rows stand in \
                         `repeated ... rows`, with `int64 first_row` beside them or without";
    let field = |name: &str| {
        let field = message.get_field_by_name(name)?;
        let in_part = field.containing_oneof().is_some_and(|oneof| oneof.name() == "part");
        match field.kind() {
            Kind::Message(held) if in_part && !field.is_list() => Some(held),
            _ => None,
        }
    };
    let (Some(options), Some(rows)) = (field("options"), field("rows")) else { bail!(SHAPE) };
    let Some(row) = rows.get_field_by_name("rows").filter(prost_reflect::FieldDescriptor::is_list) else {
        bail!(SHAPE)
    };
    let Kind::Message(row) = row.kind() else { bail!(SHAPE) };
    let numbered = rows.get_field_by_name("first_row").is_some_and(|field| matches!(field.kind(), Kind::Int64));
    if rows.fields().count() != 1 + usize::from(numbered) {
        bail!(SHAPE);
    }

    let path = rust_path(message);
    let (package, _) = path.rsplit_once("::").context("a path has segments")?;
    let part = format!("{package}::{}::Part", message.name().to_snake_case());
    let first_row = if numbered { "rows.first_row" } else { "0" };
    let (rows_path, set_first_row) = (rust_path(&rows), if numbered { "first_row, " } else { "" });
    let unused = if numbered { "first_row" } else { "_" };
    Ok(format!(
        "impl crate::Parts for {path} {{
            type Options = {options};
            type Row = {row};
            fn take_apart(self) -> Option<crate::Part<Self::Options, Self::Row>> {{
                self.part.map(|part| match part {{
                    {part}::Options(options) => crate::Part::Options(options),
                    {part}::Rows(rows) => crate::Part::Rows {{ first_row: {first_row}, rows: rows.rows }},
                }})
            }}
            fn of_options(options: Self::Options) -> Self {{
                Self {{ part: Some({part}::Options(options)) }}
            }}
            fn of_rows({unused}: i64, rows: Vec<Self::Row>) -> Self {{
                Self {{ part: Some({part}::Rows({rows_path} {{ {set_first_row}rows }})) }}
            }}
        }}\n",
        options = rust_path(&options),
        row = rust_path(&row),
    ))
}

fn has_outcome(path: &str, field: &str) -> String {
    let made_of = made_of(path, field, "tongxin::batch::v1::Outcome");
    format!(
        "{made_of}impl crate::HasOutcome for {path} {{
            fn into_outcome(self) -> tongxin::batch::v1::Outcome {{ self.{field}.unwrap_or_default() }}
        }}\n"
    )
}

fn made_of(path: &str, field: &str, held: &str) -> String {
    format!("impl From<{held}> for {path} {{ fn from(held: {held}) -> Self {{ Self {{ {field}: Some(held) }} }} }}\n")
}
