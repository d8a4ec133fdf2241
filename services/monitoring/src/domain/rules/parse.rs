//! Parses text to crate `cel`'s syntax tree, within limits.

use std::{io, thread};

use cel::parser::{Expression as Parsed, ParseErrors, Parser};

use super::error::CompileError;

/// Maximum length of an expression in bytes.
const MAX_BYTES: usize = 8_000;

/// Nesting of expressions in brackets at which the parser gives up.
const MAX_NESTED: u16 = 96;

/// The parser and all functions that walk its tree are recursive. At the greatest nesting that a text of the maximum
/// length allows, they need less stack than this; the caller's stack may be smaller.
const STACK_BYTES: usize = 64 << 20;

/// Parses a text and passes the tree to `read`, both on a separate stack.
pub(super) fn parse<T: Send>(
    text: &str,
    read: impl FnOnce(&Parsed) -> Result<T, CompileError> + Send,
) -> Result<T, CompileError> {
    check_size(text)?;
    let done = on_a_large_stack(|| {
        let parser = Parser::new().max_recursion_depth(MAX_NESTED);
        let parsed = parser.parse(text).map_err(|errors| refused(&errors))?;
        read(&parsed)
    });
    let done = done.map_err(|error| CompileError::unbounded(format!("cannot be read now: {error}")))?;
    // A text that makes the parser panic is treated as a syntax error.
    done.unwrap_or_else(|_| Err(CompileError::syntax("is not an expression")))
}

/// Runs `work` on a stack that is large enough for crate `cel` (see [`STACK_BYTES`]). The outer error is that no thread
/// could be started, the inner one a panic.
pub(super) fn on_a_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<thread::Result<T>> {
    thread::scope(|scope| {
        let started = thread::Builder::new().name("rules".to_owned()).stack_size(STACK_BYTES).spawn_scoped(scope, work);
        started.map(thread::ScopedJoinHandle::join)
    })
}

fn check_size(text: &str) -> Result<(), CompileError> {
    if text.len() > MAX_BYTES {
        return Err(CompileError::unbounded(format!("has more than {MAX_BYTES} bytes: split it into several rules")));
    }
    Ok(())
}

fn refused(errors: &ParseErrors) -> CompileError {
    let gave_up = |text: &str| text.contains("ecursion limit");
    match errors.errors.first() {
        Some(error) if error.source.is_none() && !errors.errors.iter().any(|error| gave_up(&error.msg)) => {
            let (line, column) = error.pos;
            CompileError::syntax(format!("is not an expression at line {line}, character {column}: {}", error.msg))
        }
        _ => CompileError::unbounded("is nested too deeply: split it into several rules"),
    }
}
