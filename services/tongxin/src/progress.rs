//! Progress on standard error: a bar on a terminal, otherwise an occasional line.

use std::{
    io::{IsTerminal as _, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

const LINE_EVERY: Duration = Duration::from_secs(2);

pub struct Progress {
    title: String,
    total: u64,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    /// Without a total there is no bar, only a count.
    pub fn begin(title: impl Into<String>, total: Option<u64>) -> Self {
        let title = title.into();
        let bar = stderr().is_terminal().then(|| bar(&title, total));
        Self { title, total: total.unwrap_or(0), bar, last_line: Instant::now() }
    }

    pub fn reach(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            match self.total {
                0 => eprintln!("{}: {done}", self.title),
                total => eprintln!("{}: {done} of {total}", self.title),
            }
        }
    }

    /// Prints a line in between.
    pub fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Starts the next phase.
    pub fn turn_to(&mut self, title: &str) {
        if title == self.title {
            return;
        }
        title.clone_into(&mut self.title);
        match &self.bar {
            Some(bar) => bar.set_message(title.to_owned()),
            None => eprintln!("{title}"),
        }
    }

    pub fn end(self, outcome: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!("{}: {outcome}", self.title);
    }
}

fn bar(title: &str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{msg} [{bar:32}] {pos} of {len}"),
        None => (ProgressBar::new_spinner(), "{msg} {spinner} {pos}"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.progress_chars("=> ")).with_message(title.to_owned())
}
