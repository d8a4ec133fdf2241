//! Progress on standard error: a bar on a terminal, otherwise an occasional line; with the rate and the time left.

use std::{
    io::{IsTerminal as _, stderr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::lang::told;

const LINE_EVERY: Duration = Duration::from_secs(2);

/// No rate is told before this: the first moments say little of it.
const RATE_AFTER: Duration = Duration::from_secs(1);

pub struct Progress {
    bar: Option<ProgressBar>,
    line: Mutex<Line>,
}

/// What is shown without a terminal.
struct Line {
    title: String,
    total: u64,
    last: Instant,
    /// When the first count of the phase came, and that count: what was done before says nothing of the rate.
    base: Option<(Instant, u64)>,
}

impl Progress {
    /// Without a total there is no bar, only a count.
    pub fn begin(title: impl Into<String>, total: Option<u64>) -> Self {
        let title = title.into();
        let bar = stderr().is_terminal().then(|| bar(&title, total));
        let line = Line { title, total: total.unwrap_or(0), last: Instant::now(), base: None };
        Self { bar, line: Mutex::new(line) }
    }

    pub fn reach(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, before) = *line.base.get_or_insert((Instant::now(), done));
        if line.last.elapsed() >= LINE_EVERY {
            line.last = Instant::now();
            note!("{}", said(&line.title, (before, done, line.total), since.elapsed()));
        }
    }

    /// Prints a line in between.
    pub fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note!("{text}")),
            None => note!("{text}"),
        }
    }

    /// Starts the next phase.
    pub fn turn_to(&self, title: &str) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if title == line.title {
            return;
        }
        title.clone_into(&mut line.title);
        line.base = None;
        match &self.bar {
            Some(bar) => bar.set_message(title.to_owned()),
            None => note!("{title}"),
        }
    }

    pub fn end(self, outcome: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        note!("{}", told!("{}: {outcome}", "{}：{outcome}", line.title));
    }

    /// Ends without a word.
    pub fn dismiss(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `households: 12000 of 50000, 6000/s, 6 seconds left`.
fn said(title: &str, (before, done, total): (u64, u64, u64), since: Duration) -> String {
    let count = if total == 0 {
        told!("{title}: {done}", "{title}：{done}")
    } else {
        told!("{title}: {done} of {total}", "{title}：{done}/{total}")
    };
    if since < RATE_AFTER || done <= before {
        return count;
    }
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = (done - before).saturating_mul(1_000) / millis;
    if total <= done || rate == 0 {
        return told!("{count}, {rate}/s", "{count}，每秒 {rate}");
    }
    let left = (total - done).div_ceil(rate);
    let human = HumanDuration(Duration::from_secs(left));
    told!("{count}, {rate}/s, {human} left", "{count}，每秒 {rate}，约剩 {left} 秒")
}

fn bar(title: &str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            told!(
                "{{msg}} [{{bar:32}}] {{pos}} of {{len}}, {{per_sec}}, {{eta}} left",
                "{{msg}} [{{bar:32}}] {{pos}}/{{len}}，{{per_sec}}，约剩 {{eta}}"
            ),
        ),
        None => (ProgressBar::new_spinner(), "{msg} {spinner} {pos}, {per_sec}".to_owned()),
    };
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.progress_chars("=> ")).with_message(title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_the_rate_and_the_time_left() {
        let after = Duration::from_secs(2);
        assert_eq!(
            said("households", (0, 12_000, 50_000), after),
            "households: 12000 of 50000, 6000/s, 7 seconds left"
        );
        assert_eq!(said("households", (0, 12_000, 0), after), "households: 12000, 6000/s");
        assert_eq!(said("households", (0, 5, 50), Duration::from_millis(10)), "households: 5 of 50");
        assert_eq!(said("households", (0, 50, 50), after), "households: 50 of 50, 25/s");
        let resumed = said("households", (900, 1_000, 1_100), after);
        assert_eq!(resumed, "households: 1000 of 1100, 50/s, 2 seconds left");
    }
}
