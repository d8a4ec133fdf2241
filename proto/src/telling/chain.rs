//! Runs of digits, and what stands between them.

use super::digits::digit;

/// Most digits of any number that is looked for.
const LONGEST: usize = 19;

/// Runs of digits without a letter between them.
#[derive(Debug, Default)]
pub struct Chain {
    /// One after the other.
    digits: Vec<u8>,
    /// Whether an X follows, as it may in an ID number.
    has_x: bool,
    /// Where each run begins.
    starts: Vec<usize>,
    /// What stands before each run, if it is one character.
    gaps: Vec<Option<char>>,
}

/// Some whole runs of a chain that follow each other.
pub struct Number<'chain> {
    /// All of their digits.
    pub digits: &'chain [u8],
    /// Whether an X follows them.
    pub has_x: bool,
    /// Whether one of them is part of a date.
    pub has_date: bool,
}

/// The chains of a text.
pub fn chains(text: &str) -> Vec<Chain> {
    let (mut done, mut chain) = (Vec::new(), Chain::default());
    let (mut script, mut gap) = (None, String::new());
    for character in text.chars() {
        if let Some(digit) = digit(character) {
            if script != Some(digit.script) {
                chain.begin_run(&gap);
                script = Some(digit.script);
                gap.clear();
            }
            chain.digits.push(digit.value);
            continue;
        }
        if character.is_alphabetic() {
            chain.end_with(character);
            done.push(std::mem::take(&mut chain));
            gap.clear();
        } else {
            gap.push(character);
        }
        script = None;
    }
    done.push(chain);
    done.retain(|chain| !chain.digits.is_empty());
    done
}

impl Chain {
    fn begin_run(&mut self, gap: &str) {
        let mut characters = gap.chars();
        let only = characters.next().filter(|_| characters.next().is_none());
        self.starts.push(self.digits.len());
        self.gaps.push(only);
    }

    /// An X may be small, large, wide or borrowed from another script.
    fn end_with(&mut self, letter: char) {
        self.has_x = matches!(letter, 'x' | 'X' | 'ｘ' | 'Ｘ' | 'Х' | 'х' | 'Χ' | 'χ');
    }

    fn run(&self, run: usize) -> &[u8] {
        &self.digits[self.starts[run]..self.end(run)]
    }

    fn end(&self, run: usize) -> usize {
        self.starts.get(run + 1).copied().unwrap_or(self.digits.len())
    }

    /// Its runs, one by one, each with whether an X follows it.
    pub fn runs(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let last = self.starts.len() - 1;
        (0..=last).map(move |run| (self.run(run), self.has_x && run == last))
    }

    /// Its numbers: whole runs, alone or some that follow each other, which cut no date in two.
    pub fn numbers(&self) -> impl Iterator<Item = Number<'_>> {
        let dates = self.dates();
        let runs = self.starts.len();
        (0..runs)
            .flat_map(move |first| {
                let dates = dates.clone();
                (first..runs).map_while(move |last| {
                    let digits = &self.digits[self.starts[first]..self.end(last)];
                    let cut = |(from, to): &(usize, usize)| {
                        let (begins, ends) = ((first..=last).contains(from), (first..=last).contains(to));
                        begins != ends || (first > *from && last < *to)
                    };
                    let is_whole = !dates.iter().any(cut);
                    let has_date = dates.iter().any(|(from, _)| (first..=last).contains(from));
                    let has_x = self.has_x && last + 1 == runs;
                    (digits.len() <= LONGEST).then_some((is_whole, Number { digits, has_x, has_date }))
                })
            })
            .filter_map(|(is_whole, number)| is_whole.then_some(number))
    }

    /// The first and the last run of each date, with the time that follows it.
    fn dates(&self) -> Vec<(usize, usize)> {
        let mut dates = Vec::new();
        let mut run = 0;
        while run < self.starts.len() {
            match self.date_at(run) {
                Some(last) => {
                    dates.push((run, last));
                    run = last + 1;
                }
                None => run += 1,
            }
        }
        dates
    }

    fn date_at(&self, first: usize) -> Option<usize> {
        let value = |run: usize, digits: std::ops::RangeInclusive<usize>| {
            let run = (run < self.starts.len()).then(|| self.run(run)).filter(|run| digits.contains(&run.len()))?;
            Some(run.iter().fold(0_u32, |value, digit| value * 10 + u32::from(*digit)))
        };
        let gap = |run: usize| self.gaps.get(run).copied().flatten();
        let between = gap(first + 1).filter(|gap| "-./".contains(*gap))?;
        let is_date = (1900..2100).contains(&value(first, 4..=4)?)
            && (1..=12).contains(&value(first + 1, 1..=2)?)
            && (1..=31).contains(&value(first + 2, 1..=2)?)
            && gap(first + 2) == Some(between);
        if !is_date {
            return None;
        }
        let mut last = first + 2;
        // A time: hours after a space, then minutes and seconds.
        for (after, below) in [(' ', 24), (':', 60), (':', 60)] {
            match value(last + 1, 1..=2) {
                Some(part) if part < below && gap(last + 1) == Some(after) => last += 1,
                _ => break,
            }
        }
        Some(if last == first + 3 { first + 2 } else { last })
    }
}
