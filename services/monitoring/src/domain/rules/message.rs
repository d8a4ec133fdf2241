//! Texts that explain a hit, with values of the household.

use std::fmt::Write as _;

use tongxin_platform::money::Fen;

use super::{
    Type, check,
    error::CompileError,
    fields::FieldSet,
    inputs::Inputs,
    parse,
    tree::{EvalError, Int, Tree},
};

/// A compiled text with the placeholders `{expression}` and `{yuan(expression)}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    parts: Vec<Part>,
    fields: FieldSet,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Tree),
    Yuan(Int),
}

impl Message {
    pub fn compile(text: &str) -> Result<Self, CompileError> {
        let mut message = Self { parts: Vec::new(), fields: FieldSet::default() };
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            message.add_text(before)?;
            let (expression, after) =
                after.split_once('}').ok_or_else(|| CompileError::syntax("has a { without its }"))?;
            message.add_value(expression.trim())?;
            rest = after;
        }
        message.add_text(rest)?;
        Ok(message)
    }

    #[must_use]
    pub fn fields(&self) -> FieldSet {
        self.fields
    }

    /// An expression without a value is shown as a question mark.
    #[must_use]
    pub fn render(&self, inputs: &Inputs) -> String {
        let mut text = String::new();
        for part in &self.parts {
            let length = text.len();
            if part.write(inputs, &mut text).is_err() {
                text.truncate(length);
                text.push('?');
            }
        }
        text
    }

    fn add_text(&mut self, text: &str) -> Result<(), CompileError> {
        if text.contains('}') {
            return Err(CompileError::syntax("has a } without its {"));
        }
        if !text.is_empty() {
            self.parts.push(Part::Text(text.to_owned()));
        }
        Ok(())
    }

    fn add_value(&mut self, expression: &str) -> Result<(), CompileError> {
        let amount = expression.strip_prefix("yuan(").and_then(|rest| rest.strip_suffix(')'));
        let (tree, fields) = parse::parse(amount.unwrap_or(expression), check::check)?;
        let part = match (amount, tree) {
            (None, tree) => Part::Value(tree),
            (Some(_), Tree::Int(fen)) => Part::Yuan(fen),
            (Some(_), other) => return Err(check::wanted("yuan()", Type::Int, &other)),
        };
        self.parts.push(part);
        self.fields = self.fields.union(fields);
        Ok(())
    }
}

impl Part {
    fn write(&self, inputs: &Inputs, text: &mut String) -> Result<(), EvalError> {
        // Writing to a string never fails.
        let _ = match self {
            Self::Text(part) => write!(text, "{part}"),
            Self::Yuan(fen) => write!(text, "{}", Fen::new(fen.eval(inputs)?)),
            Self::Value(Tree::Int(value)) => write!(text, "{}", value.eval(inputs)?),
            Self::Value(Tree::Bool(value)) => write!(text, "{}", value.eval(inputs)?),
            Self::Value(Tree::Text(value)) => write!(text, "{}", value.eval(inputs)?),
            Self::Value(Tree::List(list)) => {
                let mut items = Vec::new();
                list.visit(inputs, &mut |item| items.push(item.to_owned()))?;
                write!(text, "{}", items.join(", "))
            }
        };
        Ok(())
    }
}
