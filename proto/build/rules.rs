//! Turns the `buf.validate` rules of the contract into Rust, so that a check costs no
//! reflection. A rule that is not known here fails the build: none is skipped.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor,
    Value,
};

use crate::{is_ours, reach::Reach};

const IGNORE_IF_ZERO_VALUE: i32 = 1;
const IGNORE_ALWAYS: i32 = 3;

/// Writes an implementation of `Rules` for every message of ours. Answers have none, whatever they hold: what was taken
/// before a rule came stays readable.
pub fn generate(pool: &DescriptorPool, reach: &Reach) -> Result<String> {
    let extensions = Extensions::of(pool)?;
    let mut out = String::new();
    let ours = |message: &MessageDescriptor| is_ours(message.package_name()) && !message.is_map_entry();
    for message in pool.all_messages().filter(ours) {
        let rules = message_rules(&message, &extensions, reach.is_sent(&message));
        let rules = rules.with_context(|| format!("rules of {}", message.full_name()))?;
        let body = if reach.is_answer(&message) { String::new() } else { rules };
        let report = if body.is_empty() { "_report" } else { "report" };
        writeln!(
            out,
            "impl crate::rules::Rules for {} {{ fn check(&self, {report}: &mut crate::rules::Report) {{\n{body}}} }}",
            rust_path(&message)
        )?;
    }
    Ok(out)
}

/// The options of fields that say something of their values.
pub struct Extensions {
    field: ExtensionDescriptor,
    oneof: ExtensionDescriptor,
    plain_text: ExtensionDescriptor,
    multiline: ExtensionDescriptor,
}

impl Extensions {
    pub fn of(pool: &DescriptorPool) -> Result<Self> {
        let named = |name: &str| pool.get_extension_by_name(name).with_context(|| format!("no option {name}"));
        Ok(Self {
            field: named("buf.validate.field")?,
            oneof: named("buf.validate.oneof")?,
            plain_text: named("tongxin.options.v1.plain_text")?,
            multiline: named("tongxin.options.v1.multiline")?,
        })
    }

    /// Whether a field is a number or a code: a UUID, or something whose form is one of ASCII.
    pub fn is_code(&self, field: &FieldDescriptor) -> Result<bool> {
        Ok(FieldRules::read(&field.options(), &self.field)?.is_code)
    }
}

/// Whether a field has an option that is for texts only.
fn has(field: &FieldDescriptor, option: &ExtensionDescriptor) -> Result<bool> {
    let has = field.options().get_extension(option).as_bool() == Some(true);
    if has && (!matches!(field.kind(), Kind::String) || field.is_list()) {
        bail!("`{}` is known for a string only: {}", option.name(), field.full_name());
    }
    Ok(has)
}

/// The checks of a message; `sent` says whether callers send it.
fn message_rules(message: &MessageDescriptor, extensions: &Extensions, sent: bool) -> Result<String> {
    let mut out = String::new();
    for field in message.fields().filter(|field| field.containing_oneof().is_none()) {
        let mut rules = FieldRules::read(&field.options(), &extensions.field)?;
        if has(&field, &extensions.plain_text)? {
            rules.calls.push("plain_text(FIELD, &VALUE)".to_owned());
        }
        let multiline = has(&field, &extensions.multiline)?;
        let stated = field_check(&field, &rules).with_context(|| format!("field {}", field.name()))?;
        out += &if sent { request_check(&field, multiline, &stated)? } else { stated };
    }
    for oneof in message.oneofs() {
        out += &oneof_check(message, &oneof, extensions)?;
    }
    Ok(out)
}

/// What a field's options say, with the calls on `Report` that check it.
#[derive(Default)]
struct FieldRules {
    required: bool,
    ignore: i32,
    calls: Vec<String>,
    items_ignored: bool,
    is_code: bool,
}

impl FieldRules {
    fn read(options: &DynamicMessage, extension: &ExtensionDescriptor) -> Result<Self> {
        let mut rules = Self::default();
        if !options.has_extension(extension) {
            return Ok(rules);
        }
        let stated = options.get_extension(extension);
        for (field, value) in stated.as_message().context("not a message")?.fields() {
            match (field.name(), value) {
                ("required", Value::Bool(required)) => rules.required = *required,
                ("ignore", Value::EnumNumber(ignore)) => rules.ignore = *ignore,
                ("repeated", Value::Message(repeated)) => rules.read_repeated(repeated)?,
                (kind @ ("string" | "int32" | "int64" | "enum"), Value::Message(typed)) => {
                    for (rule, value) in typed.fields() {
                        rules.calls.push(scalar_call(kind, rule.name(), value)?);
                        rules.is_code |= rule.name() == "uuid" || is_of_ascii(rule.name(), value);
                    }
                }
                (name, _) => bail!("unknown rule {name}"),
            }
        }
        Ok(rules)
    }

    fn read_repeated(&mut self, repeated: &DynamicMessage) -> Result<()> {
        for (rule, value) in repeated.fields() {
            match (rule.name(), value) {
                (name @ ("min_items" | "max_items"), Value::U64(items)) => {
                    self.calls.push(format!("{name}(FIELD, VALUE.len(), {items})"));
                }
                ("items", Value::Message(items)) => {
                    let ignore = items.get_field_by_name("ignore").and_then(|value| value.as_enum_number());
                    if ignore != Some(IGNORE_ALWAYS) {
                        bail!("rules for items are not known, only ignoring them is");
                    }
                    self.items_ignored = true;
                }
                (name, _) => bail!("unknown rule repeated.{name}"),
            }
        }
        Ok(())
    }
}

/// Whether a rule is a pattern of ASCII, without classes of Unicode.
fn is_of_ascii(rule: &str, value: &Value) -> bool {
    rule == "pattern" && value.as_str().is_some_and(|pattern| pattern.is_ascii() && !pattern.contains("\\p"))
}

/// The call that checks one rule; `FIELD` and `VALUE` stand for name and value.
fn scalar_call(kind: &str, rule: &str, value: &Value) -> Result<String> {
    Ok(match (kind, rule, value) {
        ("string", "pattern", Value::String(pattern)) => {
            format!("pattern(FIELD, &VALUE, crate::rules::regex!({pattern:?}))")
        }
        ("string", "uuid", Value::Bool(true)) => "uuid(FIELD, &VALUE)".to_owned(),
        ("string", "min_len" | "max_len", Value::U64(len)) => format!("{rule}(FIELD, &VALUE, {len})"),
        ("int32" | "int64", "gte" | "lte", Value::I32(_) | Value::I64(_)) => {
            format!("{rule}(FIELD, VALUE.into(), {value})")
        }
        ("enum", "defined_only", Value::Bool(true)) => "defined(FIELD, VALUE, ENUM::is_valid(VALUE))".to_owned(),
        ("enum", "not_in", Value::List(values)) if values.as_slice() == [Value::I32(0)] => {
            "stated(FIELD, VALUE)".to_owned()
        }
        _ => bail!("unknown rule {kind}.{rule}"),
    })
}

fn field_check(field: &FieldDescriptor, rules: &FieldRules) -> Result<String> {
    let value = format!("self.{}", rust_field(field));
    let mut out = String::new();
    if field.is_map() {
        // Only answers have maps, and answers carry no rules.
        return if rules.calls.is_empty() { Ok(out) } else { bail!("rules for maps are not known") };
    }
    for call in &rules.calls {
        out += &statement(field, &value, call);
    }
    if rules.ignore == IGNORE_IF_ZERO_VALUE {
        out = format!("if !{value}.is_empty() {{\n{out}}}\n");
    }
    if let Kind::Message(message) = field.kind() {
        let name = field.name();
        if rules.required {
            writeln!(out, "report.required({name:?}, {value}.is_some());")?;
        }
        if is_ours(message.package_name()) && rules.ignore != IGNORE_ALWAYS && !rules.items_ignored {
            if field.is_list() {
                writeln!(out, "report.nested_list({name:?}, &{value});")?;
            } else {
                writeln!(out, "report.nested({name:?}, {value}.as_ref());")?;
            }
        }
    } else if rules.required {
        bail!("`required` is known for messages only");
    }
    Ok(out)
}

/// The checks of a field of a request: those that its options state, and those that every field of its type has.
fn request_check(field: &FieldDescriptor, multiline: bool, stated: &str) -> Result<String> {
    let (name, value) = (field.name(), rust_field(field));
    let lines = if multiline { "lines" } else { "line" };
    Ok(match field.kind() {
        Kind::String if field.is_list() => format!("report.each_line({name:?}, &self.{value});\n{stated}"),
        // Of a text with a control character nothing else is said.
        Kind::String => format!("if report.{lines}({name:?}, &self.{value}) {{\n{stated}}}\n"),
        Kind::Message(message) if message.full_name() == "google.type.Date" => {
            if field.is_list() {
                bail!("a list of dates in a request is not known");
            }
            format!("report.business_date({name:?}, self.{value});\n{stated}")
        }
        _ => stated.to_owned(),
    })
}

fn oneof_check(message: &MessageDescriptor, oneof: &OneofDescriptor, extensions: &Extensions) -> Result<String> {
    let options = oneof.options();
    let required = options.has_extension(&extensions.oneof)
        && options
            .get_extension(&extensions.oneof)
            .as_message()
            .and_then(|rules| rules.get_field_by_name("required")?.as_bool())
            .unwrap_or(false);
    let name = oneof.name();
    let mut out = String::new();
    if required {
        writeln!(out, "report.required({name:?}, self.{name}.is_some());")?;
    }
    let module = rust_path(message);
    let module = module.rsplit_once("::").context("a path has segments")?.0;
    let cases = format!("{module}::{}::{}", message.name().to_snake_case(), name.to_upper_camel_case());
    for field in oneof.fields() {
        if field.options().has_extension(&extensions.field) || has(&field, &extensions.plain_text)? {
            bail!("rules inside a oneof are not known: {}", field.full_name());
        }
        if matches!(field.kind(), Kind::Message(message) if is_ours(message.package_name())) {
            let case = field.name().to_upper_camel_case();
            let name = field.name();
            writeln!(
                out,
                "if let Some({cases}::{case}(value)) = &self.{} {{ report.nested_one({name:?}, value); }}",
                oneof.name()
            )?;
        }
    }
    Ok(out)
}

fn statement(field: &FieldDescriptor, value: &str, call: &str) -> String {
    let name = format!("{:?}", field.name());
    let mut call = call.replace("FIELD", &name).replace("VALUE", value);
    if let Kind::Enum(kind) = field.kind() {
        let path = kind.package_name().replace('.', "::");
        call = call.replace("ENUM", &format!("{path}::{}", kind.name()));
    }
    format!("report.{call};\n")
}

pub fn rust_path(message: &MessageDescriptor) -> String {
    rust_name(message.package_name(), message.name())
}

pub fn rust_name(package: &str, name: &str) -> String {
    let package = package.replace('.', "::").replace("::type", "::r#type");
    format!("{package}::{name}")
}

pub fn rust_field(field: &FieldDescriptor) -> String {
    match field.name() {
        "type" => "r#type".to_owned(),
        name => name.to_owned(),
    }
}
