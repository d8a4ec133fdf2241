//! Rounds, percentiles, and the table that is printed.

use std::time::{Duration, Instant};

use futures::future::try_join_all;

/// Rounds of which the median counts.
pub const ROUNDS: usize = 3;

/// What a round of equal calls came to.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    pub per_second: f64,
    pub p50: Duration,
    pub p95: Duration,
    pub p99: Duration,
}

impl Round {
    /// The round of median rate.
    pub fn median(mut rounds: Vec<Self>) -> Self {
        rounds.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        rounds[rounds.len() / 2]
    }

    pub fn of(mut times: Vec<Duration>, took: Duration) -> Self {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100];
        Self { per_second: ratio(times.len(), took), p50: at(50), p95: at(95), p99: at(99) }
    }
}

/// The middle one of several rates.
pub fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
pub fn ratio(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// Lets each client make its calls one after the other, all clients at once.
pub async fn round<C, F>(clients: usize, calls: usize, call: C) -> anyhow::Result<Round>
where
    C: Fn(usize, usize) -> F + Clone + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let started = Instant::now();
    let tasks = (0..clients).map(|client| {
        let call = call.clone();
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(calls);
            for number in 0..calls {
                let began = Instant::now();
                call(client, number).await?;
                times.push(began.elapsed());
            }
            anyhow::Ok(times)
        })
    });
    let times = try_join_all(tasks).await?.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Round::of(times.concat(), started.elapsed()))
}

/// Lets each client make a call every so often, all clients spread over that time. A call that begins late, because
/// the one before took long, counts from when it was due.
pub async fn paced<C, F>(clients: u32, calls: u32, every: Duration, call: C) -> anyhow::Result<Round>
where
    C: Fn(usize, usize) -> F + Clone + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let started = Instant::now();
    let tasks = (0..clients).map(|client| {
        let call = call.clone();
        tokio::spawn(async move {
            let mut times = Vec::new();
            for number in 0..calls {
                let due = started + every * client / clients + every * number;
                tokio::time::sleep_until(due.into()).await;
                call(client as usize, number as usize).await?;
                times.push(due.elapsed());
            }
            anyhow::Ok(times)
        })
    });
    let times = try_join_all(tasks).await?.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Round::of(times.concat(), started.elapsed()))
}

/// Lines as they are printed, in Markdown.
pub struct Table(Vec<String>);

impl Table {
    pub fn new() -> Self {
        Self(vec![
            "| what | here | p50 | p95 | p99 | bare | ratio |".to_owned(),
            "|---|---|---|---|---|---|---|".to_owned(),
        ])
    }

    pub fn note(&mut self, what: &str, value: &str) {
        self.line(format!("| {what} | {value} | | | | | |"));
    }

    pub fn latency(&mut self, what: &str, round: Round) {
        let Round { per_second, p50, p95, p99 } = round;
        self.line(format!("| {what} | {per_second:.0}/s | {} | {} | {} | | |", ms(p50), ms(p95), ms(p99)));
    }

    pub fn beside(&mut self, what: &str, round: Round, bare: Round) {
        self.line(format!(
            "| {what} | {:.0}/s | {} | {} | {} | {:.0}/s, p99 {} | {:.0} % |",
            round.per_second,
            ms(round.p50),
            ms(round.p95),
            ms(round.p99),
            bare.per_second,
            ms(bare.p99),
            round.per_second / bare.per_second * 100.0
        ));
    }

    pub fn rates(&mut self, what: &str, here: f64, bare: f64) {
        self.line(format!("| {what} | {here:.0}/s | | | | {bare:.0}/s | {:.0} % |", here / bare * 100.0));
    }

    fn line(&mut self, line: String) {
        eprintln!("{line}");
        self.0.push(line);
    }

    pub fn print(&self) {
        println!("{}", self.0.join("\n"));
    }
}

fn ms(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}
