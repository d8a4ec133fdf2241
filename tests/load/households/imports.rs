//! Imports of households and observations.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use anyhow::ensure;
use futures::{stream, try_join};
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus},
    monitoring::v1::{
        HouseholdRows, ImportHouseholdsRequest, ImportObservationsRequest, ObservationRows, import_households_request,
        import_observations_request,
    },
};
use tongxin_tests::entries::request_id;

use super::{month_end, people};
use crate::{machine::Machine, rounds::ratio, world::World};

const MESSAGE_ROWS: usize = 1_000;

/// Rates of imports.
pub struct Rates {
    /// Of a file alone, a tenth of all.
    pub alone: f64,
    /// Of the others, in two files that come at once, each for a tenth of them.
    pub beside: Vec<Tenth>,
}

/// How fast a tenth of some rows was taken.
#[derive(Clone, Copy)]
pub struct Tenth {
    /// Rows a second.
    pub rate: f64,
    /// How fast the machine was meanwhile.
    pub machine: f64,
}

/// Households a second: of one file, then of two that come at once, one from the first village on, the other from the last one
/// back. They meet, so that neither is alone at the end.
pub async fn households(world: &World, count: usize) -> anyhow::Result<Rates> {
    let first = count / 10;
    let alone = Tenths::new(first);
    let one = Places::of(0..first);
    file(world, move || one.next(), count, &alone).await?;
    let alone = alone.done()?;
    let beside = Tenths::new(count - first);
    let rest = Arc::new(Places::of(first..count));
    let (forward, back) = (Arc::clone(&rest), rest);
    try_join!(
        file(world, move || forward.next(), count, &beside),
        file(world, move || back.next_back(), count, &beside)
    )?;
    Ok(Rates { alone: harmonic(&alone), beside: beside.done()? })
}

/// Places of households that are not sent yet.
struct Places(Mutex<Range<usize>>);

impl Places {
    fn of(places: Range<usize>) -> Self {
        Self(Mutex::new(places))
    }

    /// The places of a message.
    fn next(&self) -> Option<Range<usize>> {
        let mut rest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = rest.start..rest.end.min(rest.start + MESSAGE_ROWS);
        rest.start = next.end;
        (!next.is_empty()).then_some(next)
    }

    fn next_back(&self) -> Option<Range<usize>> {
        let mut rest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = rest.start.max(rest.end.saturating_sub(MESSAGE_ROWS))..rest.end;
        rest.end = next.start;
        (!next.is_empty()).then_some(next)
    }
}

/// Imports households by their places, a message's at a time.
async fn file(
    world: &World,
    mut next: impl FnMut() -> Option<Range<usize>> + Send + 'static,
    of: usize,
    tenths: &Tenths,
) -> anyhow::Result<()> {
    use import_households_request::Part;

    let request = |part| ImportHouseholdsRequest { part: Some(part) };
    let options = request(Part::Options(ImportOptions { import_id: request_id(), dry_run: false }));
    let mut sent = 0;
    let rows = std::iter::from_fn(move || {
        let places = next()?;
        let first_row = row_number(sent + 1);
        sent += places.len();
        let rows = places.map(|place| people::household(place, of)).collect();
        Some(request(Part::Rows(HouseholdRows { first_row, rows })))
    });
    let client = world.clients.households()?;
    let mut client = client.max_decoding_message_size(64 << 20);
    let mut answers = client.import_households(stream::iter(std::iter::once(options).chain(rows))).await?.into_inner();
    let mut taken = 0;
    while let Some(answer) = answers.message().await? {
        tenths.reach(&answer.status.unwrap_or_default(), &mut taken)?;
    }
    Ok(())
}

/// Observations a second.
pub async fn observations(world: &World, count: usize) -> anyhow::Result<f64> {
    use import_observations_request::Part;

    let window = month_end(2);
    let request = |part| ImportObservationsRequest { part: Some(part) };
    let options = request(Part::Options(ImportOptions { import_id: request_id(), dry_run: false }));
    let rows = (0..count).step_by(MESSAGE_ROWS).map(move |first| {
        let places = first..(first + MESSAGE_ROWS).min(count);
        let rows = places.map(|place| people::observation(place, window)).collect();
        request(Part::Rows(ObservationRows { first_row: row_number(first + 1), rows }))
    });
    let client = world.clients.observations()?;
    let mut client = client.max_decoding_message_size(64 << 20);
    let mut answers =
        client.import_observations(stream::iter(std::iter::once(options).chain(rows))).await?.into_inner();
    let (tenths, mut taken) = (Tenths::new(count), 0);
    while let Some(answer) = answers.message().await? {
        tenths.reach(&answer.status.unwrap_or_default(), &mut taken)?;
    }
    Ok(harmonic(&tenths.done()?))
}

fn row_number(row: usize) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}

/// When each tenth of some rows was taken, whichever files they stand in.
struct Tenths {
    count: usize,
    machine: Machine,
    seen: Mutex<Seen>,
}

struct Seen {
    taken: usize,
    began: Instant,
    tenths: Vec<Tenth>,
}

impl Tenths {
    fn new(count: usize) -> Self {
        let seen = Seen { taken: 0, began: Instant::now(), tenths: Vec::new() };
        Self { count, machine: Machine::watch(), seen: Mutex::new(seen) }
    }

    /// A file was taken that far; `before` is how far it was.
    fn reach(&self, status: &ImportStatus, before: &mut usize) -> anyhow::Result<()> {
        ensure!(status.refused == 0, "rows were refused: {:?}", status.errors.first());
        let taken = usize::try_from(status.rows_taken)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.taken += taken - std::mem::replace(before, taken);
        if seen.taken * 10 >= self.count * (seen.tenths.len() + 1) {
            let tenth = Tenth { rate: ratio(self.count / 10, seen.began.elapsed()), machine: self.machine.speed() };
            let Tenth { rate, machine } = tenth;
            seen.tenths.push(tenth);
            eprintln!("{} of {} rows, {rate:.0}/s, machine at {machine:.0}", seen.taken, self.count);
            seen.began = Instant::now();
        }
        Ok(())
    }

    fn done(self) -> anyhow::Result<Vec<Tenth>> {
        let Seen { tenths, .. } = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        ensure!(tenths.len() == 10, "the import ended after {} tenths", tenths.len());
        Ok(tenths)
    }
}

/// The rate of the whole by those of its tenths.
pub fn harmonic(tenths: &[Tenth]) -> f64 {
    let sum: f64 = tenths.iter().map(|tenth| 1.0 / tenth.rate).sum();
    f64::from(u32::try_from(tenths.len()).unwrap_or(1)) / sum
}

/// The last of some values beside the first, by the line that lies closest to all of them: two of them alone say
/// more about the moment than about the way from one to the other.
pub fn fall(values: &[f64]) -> f64 {
    let count = f64::from(u32::try_from(values.len()).unwrap_or(1));
    let middle = (count - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / count;
    let places = || (0..).map(f64::from).map(|place: f64| place - middle);
    let slope = values.iter().zip(places()).map(|(value, place)| place * (value - mean)).sum::<f64>()
        / values.iter().zip(places()).map(|(_, place)| place * place).sum::<f64>();
    (mean + slope * middle) / (mean - slope * middle)
}
