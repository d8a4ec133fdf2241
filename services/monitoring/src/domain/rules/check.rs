//! Type-checks and compiles expressions.

use cel::{
    common::ast::{CallExpr, Expr, ListExpr, LiteralValue, operators},
    parser::Expression as Parsed,
};

use super::{
    Type,
    error::CompileError,
    fields::{Field, FieldSet, Number, Word},
    tree::{Arithmetic, Bool, Comparison, Int, List, Text, Tree},
};
use crate::domain::risk::Risk;

/// Maximum nesting of operations.
const MAX_DEPTH: usize = 64;

/// Maximum number of operations, fields and literals.
const MAX_NODES: usize = 1_000;

const FUNCTIONS: &str = "size(list), min(int, int) and max(int, int)";

type Checked<T> = Result<T, CompileError>;

/// Compiles a parsed expression, and collects the fields that it uses.
pub(super) fn check(parsed: &Parsed) -> Checked<(Tree, FieldSet)> {
    let mut checker = Checker::default();
    let tree = checker.tree(parsed)?;
    Ok((tree, checker.fields))
}

#[derive(Default)]
struct Checker {
    fields: FieldSet,
    depth: usize,
    nodes: usize,
}

impl Checker {
    fn tree(&mut self, parsed: &Parsed) -> Checked<Tree> {
        self.depth += 1;
        self.nodes += 1;
        if self.depth > MAX_DEPTH {
            let text = format!("has more than {MAX_DEPTH} operations within each other: use brackets, or split it");
            return Err(CompileError::unbounded(text));
        }
        if self.nodes > MAX_NODES {
            return Err(CompileError::unbounded(format!(
                "has more than {MAX_NODES} parts: split it into several rules"
            )));
        }
        let tree = match &parsed.expr {
            Expr::Literal(literal) => self::literal(literal),
            Expr::Ident(name) => self.field(name),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.list(list).map(Tree::List),
            Expr::Comprehension(_) => Err(CompileError::unbounded(
                "has a loop (all, exists, exists_one, map or filter): use `in` and size(list) instead",
            )),
            Expr::Select(select) if select.test => {
                Err(CompileError::unknown("has() is not needed: every field has a value"))
            }
            Expr::Select(select) => Err(CompileError::unknown(format!(
                "there is no field .{}: fields stand by themselves, such as net_income",
                select.field
            ))),
            Expr::Map(_) | Expr::Struct(_) => Err(CompileError::type_wrong("maps and messages are not used here")),
            Expr::Unspecified => Err(CompileError::syntax("is not an expression")),
        }?;
        self.depth -= 1;
        Ok(tree)
    }

    fn field(&mut self, name: &str) -> Checked<Tree> {
        let field = Field::by_name(name).ok_or_else(|| unknown_field(name))?;
        self.fields.insert(field);
        Ok(match field {
            Field::Number(number) => Tree::Int(Int::Field(number)),
            Field::Flag(flag) => Tree::Bool(Bool::Field(flag)),
            Field::Word(word) => Tree::Text(Text::Field(word)),
            Field::Shocks => Tree::List(List::Shocks),
        })
    }

    fn list(&mut self, list: &ListExpr) -> Checked<List> {
        let items = list.elements.iter().map(|item| self.text(item, "a list"));
        items.collect::<Checked<_>>().map(List::Literal)
    }

    fn call(&mut self, call: &CallExpr) -> Checked<Tree> {
        if call.target.is_some() {
            let text = format!("there is no function .{}(): there are {FUNCTIONS}", call.func_name);
            return Err(CompileError::unknown(text));
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::CONDITIONAL, [condition, yes, no]) => self.conditional(condition, yes, no),
            (operators::LOGICAL_AND, [left, right]) => {
                self.bools("&&", left, right).map(|of| Tree::Bool(Bool::And(of)))
            }
            (operators::LOGICAL_OR, [left, right]) => self.bools("||", left, right).map(|of| Tree::Bool(Bool::Or(of))),
            (operators::LOGICAL_NOT, [value]) => Ok(Tree::Bool(Bool::Not(Box::new(self.bool(value, "!")?)))),
            (operators::NEGATE, [value]) => Ok(Tree::Int(Int::Negated(Box::new(self.int(value, "-")?)))),
            (operators::IN, [item, list]) => self.membership(item, list).map(Tree::Bool),
            ("size", [list]) => match self.tree(list)? {
                Tree::List(list) => Ok(Tree::Int(Int::Size(Box::new(list)))),
                other => Err(wanted("size()", Type::List, &other)),
            },
            (name, [left, right]) => match (arithmetic(name), comparison(name)) {
                (Some((shown, operation)), _) => {
                    let of = (self.int(left, shown)?, self.int(right, shown)?);
                    Ok(Tree::Int(Int::Of(operation, Box::new(of))))
                }
                (None, Some((shown, comparison))) => self.compared(shown, comparison, left, right).map(Tree::Bool),
                (None, None) => Err(unknown_function(name)),
            },
            (name, _) => Err(unknown_function(name)),
        }
    }

    fn conditional(&mut self, condition: &Parsed, yes: &Parsed, no: &Parsed) -> Checked<Tree> {
        let condition = self.bool(condition, "?:")?;
        match (self.tree(yes)?, self.tree(no)?) {
            (Tree::Int(yes), Tree::Int(no)) => Ok(Tree::Int(Int::If(Box::new((condition, yes, no))))),
            (Tree::Bool(yes), Tree::Bool(no)) => Ok(Tree::Bool(Bool::If(Box::new((condition, yes, no))))),
            (Tree::Text(yes), Tree::Text(no)) => Ok(Tree::Text(Text::If(Box::new((condition, yes, no))))),
            (Tree::List(yes), Tree::List(no)) => Ok(Tree::List(List::If(Box::new((condition, yes, no))))),
            (yes, no) => Err(mixed("?:", &yes, &no)),
        }
    }

    fn compared(&mut self, shown: &str, comparison: Comparison, left: &Parsed, right: &Parsed) -> Checked<Bool> {
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        match (self.tree(left)?, self.tree(right)?) {
            (Tree::Int(left), Tree::Int(right)) => Ok(Bool::Ints(comparison, Box::new((left, right)))),
            (Tree::Text(left), Tree::Text(right)) => {
                possible(&left, &right)?;
                possible(&right, &left)?;
                Ok(Bool::Texts(comparison, Box::new((left, right))))
            }
            (Tree::Bool(left), Tree::Bool(right)) if is_equality => {
                Ok(Bool::Bools(comparison, Box::new((left, right))))
            }
            (Tree::List(_), Tree::List(_)) => {
                Err(CompileError::type_wrong(format!("lists have no {shown}: use `in` or size(list)")))
            }
            (left, right) => Err(mixed(shown, &left, &right)),
        }
    }

    fn membership(&mut self, item: &Parsed, list: &Parsed) -> Checked<Bool> {
        let item = self.text(item, "in")?;
        let list = match self.tree(list)? {
            Tree::List(list) => list,
            other => return Err(wanted("in", Type::List, &other)),
        };
        match (&item, &list) {
            (Text::Literal(name), List::Shocks) => Risk::by_name(name).map(Bool::HitBy).ok_or_else(|| {
                let names = Risk::ALL.iter().map(|risk| risk.name()).collect::<Vec<_>>().join(", ");
                CompileError::type_wrong(format!("{name:?} is never in shocks: they are among {names}"))
            }),
            (Text::Field(_), List::Literal(items)) => {
                items.iter().try_for_each(|literal| possible(&item, literal))?;
                Ok(Bool::In(Box::new((item, list))))
            }
            _ => Ok(Bool::In(Box::new((item, list)))),
        }
    }

    fn bools(&mut self, shown: &str, left: &Parsed, right: &Parsed) -> Checked<Box<(Bool, Bool)>> {
        Ok(Box::new((self.bool(left, shown)?, self.bool(right, shown)?)))
    }

    fn int(&mut self, parsed: &Parsed, by: &str) -> Checked<Int> {
        match self.tree(parsed)? {
            Tree::Int(value) => Ok(value),
            other => Err(wanted(by, Type::Int, &other)),
        }
    }

    fn bool(&mut self, parsed: &Parsed, by: &str) -> Checked<Bool> {
        match self.tree(parsed)? {
            Tree::Bool(value) => Ok(value),
            other => Err(wanted(by, Type::Bool, &other)),
        }
    }

    fn text(&mut self, parsed: &Parsed, by: &str) -> Checked<Text> {
        match self.tree(parsed)? {
            Tree::Text(value) => Ok(value),
            other => Err(wanted(by, Type::String, &other)),
        }
    }
}

fn literal(literal: &LiteralValue) -> Checked<Tree> {
    match literal {
        LiteralValue::Int(value) => Ok(Tree::Int(Int::Literal(*value.inner()))),
        LiteralValue::Boolean(value) => Ok(Tree::Bool(Bool::Literal(*value.inner()))),
        LiteralValue::String(text) => Ok(Tree::Text(Text::Literal(text.inner().into()))),
        LiteralValue::Double(_) => {
            Err(CompileError::type_wrong("there are no fractions: amounts are whole fen, so write 3 * a > 2 * b"))
        }
        LiteralValue::UInt(_) => Err(CompileError::type_wrong("there are no unsigned numbers: leave the u away")),
        LiteralValue::Bytes(_) => Err(CompileError::type_wrong("there are no bytes: leave the b away")),
        LiteralValue::Null => Err(CompileError::type_wrong("there is no null: every field has a value")),
    }
}

fn arithmetic(name: &str) -> Option<(&str, Arithmetic)> {
    Some(match name {
        operators::ADD => ("+", Arithmetic::Add),
        operators::SUBSTRACT => ("-", Arithmetic::Subtract),
        operators::MULTIPLY => ("*", Arithmetic::Multiply),
        operators::DIVIDE => ("/", Arithmetic::Divide),
        operators::MODULO => ("%", Arithmetic::Remainder),
        "min" => ("min()", Arithmetic::Least),
        "max" => ("max()", Arithmetic::Most),
        _ => return None,
    })
}

fn comparison(name: &str) -> Option<(&str, Comparison)> {
    Some(match name {
        operators::EQUALS => ("==", Comparison::Equal),
        operators::NOT_EQUALS => ("!=", Comparison::NotEqual),
        operators::LESS => ("<", Comparison::Less),
        operators::LESS_EQUALS => ("<=", Comparison::LessOrEqual),
        operators::GREATER => (">", Comparison::Greater),
        operators::GREATER_EQUALS => (">=", Comparison::GreaterOrEqual),
        _ => return None,
    })
}

/// Checks that a field is only compared with a word that it can have.
fn possible(field: &Text, literal: &Text) -> Checked<()> {
    let (Text::Field(word), Text::Literal(text)) = (field, literal) else { return Ok(()) };
    let values = Word::values(*word);
    if values.contains(&&**text) {
        return Ok(());
    }
    Err(CompileError::type_wrong(format!("{} is never {text:?}: it is one of {}", word.name(), values.join(", "))))
}

fn type_of(tree: &Tree) -> Type {
    match tree {
        Tree::Int(_) => Type::Int,
        Tree::Bool(_) => Type::Bool,
        Tree::Text(_) => Type::String,
        Tree::List(_) => Type::List,
    }
}

/// The refusal of an operand of another type.
pub(super) fn wanted(by: &str, wanted: Type, given: &Tree) -> CompileError {
    CompileError::type_wrong(format!("{by} needs {wanted}, not {}", type_of(given)))
}

fn mixed(by: &str, left: &Tree, right: &Tree) -> CompileError {
    CompileError::type_wrong(format!("{by} does not go with {} and {}", type_of(left), type_of(right)))
}

fn unknown_function(name: &str) -> CompileError {
    match name {
        "size" | "min" | "max" => {
            CompileError::type_wrong(format!("{name}() has other arguments: there are {FUNCTIONS}"))
        }
        operators::INDEX => CompileError::type_wrong("lists have no [ ]: use `in` or size(list)"),
        _ => CompileError::unknown(format!("there is no function {name}(): there are {FUNCTIONS}")),
    }
}

fn unknown_field(name: &str) -> CompileError {
    let near = Field::all().map(Field::name).find(|known| known.contains(name) || name.contains(known));
    let hint = near.unwrap_or(Number::PerCapitaNetIncome.name());
    CompileError::unknown(format!("there is no field {name}: is {hint} meant? RuleService lists all"))
}
