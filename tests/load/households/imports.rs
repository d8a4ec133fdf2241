//! Imports of households and observations.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
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

/// Households a second: of one file, then of two that come at once.
pub async fn households(world: &World, count: usize) -> anyhow::Result<Rates> {
    let first = count / 10;
    // Of one length: else the last of the rows would come from one file alone.
    let middle = first + (count - first) / 2;
    let alone = Tenths::new(first);
    file(world, 0..first, count, &alone).await?;
    let alone = alone.done()?;
    let beside = Tenths::new(count - first);
    try_join!(file(world, first..middle, count, &beside), file(world, middle..count, count, &beside))?;
    Ok(Rates { alone: harmonic(&alone), beside: beside.done()? })
}

/// Imports households by their places.
async fn file(world: &World, places: Range<usize>, of: usize, tenths: &Tenths) -> anyhow::Result<()> {
    use import_households_request::Part;

    let request = |part| ImportHouseholdsRequest { part: Some(part) };
    let options = request(Part::Options(ImportOptions { import_id: request_id(), dry_run: false }));
    let rows = places.clone().step_by(MESSAGE_ROWS).map(move |first| {
        let rows = (first..(first + MESSAGE_ROWS).min(places.end)).map(|place| people::household(place, of)).collect();
        request(Part::Rows(HouseholdRows { first_row: row_number(first - places.start + 1), rows }))
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
