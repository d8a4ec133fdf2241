//! Quotation marks of a CSV file: where one opens that is not closed, or closes in the middle of a field.

use std::collections::VecDeque;

/// The most faults that are kept until their lines are handed on.
const FAULTS: usize = 10_000;

/// Looks at each byte of a file, in UTF-8 with `\n` line ends.
#[derive(Debug)]
pub(super) struct Quotes {
    separator: u8,
    state: State,
    line: u64,
    /// Line in which the field begins.
    begin: u64,
    /// Bytes since the last line end that is not within a field.
    pub length: usize,
    /// Lines of fields with a fault.
    faults: VecDeque<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldBegins,
    Plain,
    Quoted,
    /// After a mark within a quoted field: it closes it, or is the first of two.
    Closing,
}

impl Quotes {
    pub fn new(separator: u8) -> Self {
        Self { separator, state: State::FieldBegins, line: 1, begin: 1, length: 0, faults: VecDeque::new() }
    }

    pub fn look(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.length += 1;
            self.state = self.next(*byte);
            if *byte == b'\n' {
                self.line += 1;
                if self.state != State::Quoted {
                    self.length = 0;
                }
            }
        }
    }

    fn next(&mut self, byte: u8) -> State {
        let ends = byte == b'\n' || byte == self.separator;
        match self.state {
            State::Quoted if byte == b'"' => State::Closing,
            State::Quoted => State::Quoted,
            State::Closing if byte == b'"' => State::Quoted,
            // Some programs put spaces after a field.
            State::Closing if byte == b' ' => State::Closing,
            State::Closing if !ends => {
                self.fault();
                State::Plain
            }
            State::FieldBegins if byte == b'"' => {
                self.begin = self.line;
                State::Quoted
            }
            _ if ends => State::FieldBegins,
            _ => State::Plain,
        }
    }

    /// The file has ended.
    pub fn end(&mut self) {
        if self.state == State::Quoted {
            self.fault();
        }
    }

    fn fault(&mut self) {
        if self.faults.len() < FAULTS && self.faults.back() != Some(&self.begin) {
            self.faults.push_back(self.begin);
        }
    }

    /// The line of a fault in some lines, from the first to the last; those before are forgotten.
    pub fn fault_in(&mut self, first: u64, last: u64) -> Option<u64> {
        while self.faults.front().is_some_and(|line| *line < first) {
            self.faults.pop_front();
        }
        self.faults.front().copied().filter(|line| *line <= last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<u64> {
        let mut quotes = Quotes::new(b',');
        quotes.look(text.as_bytes());
        quotes.end();
        quotes.faults.into()
    }

    #[test]
    fn marks_close_where_a_field_ends() {
        for good in ["a,\"b\",c\n", "\"a\"\"b\"\n", "3组\"老屋\"12号,x\n", "\"a\nb\",c", "\"a\" ,b\n", "a,\"\"\n"] {
            assert_eq!(faults(good), Vec::<u64>::new(), "{good:?}");
        }
        assert_eq!(faults("a\n\"b,c\nd\n"), [2]);
        assert_eq!(faults("\"甲,1\n\"乙,2\n"), [1], "it swallows the next line");
        assert_eq!(faults("a,\"b\"c\n"), [1]);
        assert_eq!(faults("a,b,\"3组12"), [1]);
    }
}
