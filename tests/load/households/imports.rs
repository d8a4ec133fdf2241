//! Imports of households and observations.

use std::time::Instant;

use anyhow::ensure;
use futures::stream;
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus},
    monitoring::v1::{
        HouseholdRows, ImportHouseholdsRequest, ImportObservationsRequest, ObservationRows, import_households_request,
        import_observations_request,
    },
};
use tongxin_tests::entries::request_id;

use super::{month_end, people};
use crate::{rounds::ratio, world::World};

const MESSAGE_ROWS: usize = 1_000;

/// Households a second in each tenth.
pub async fn households(world: &World, count: usize) -> anyhow::Result<Vec<f64>> {
    use import_households_request::Part;

    let request = |part| ImportHouseholdsRequest { part: Some(part) };
    let options = request(Part::Options(ImportOptions { import_id: request_id(), dry_run: false }));
    let rows = (0..count).step_by(MESSAGE_ROWS).map(move |first| {
        let rows = (first..(first + MESSAGE_ROWS).min(count)).map(|place| people::household(place, count)).collect();
        request(Part::Rows(HouseholdRows { first_row: row_number(first + 1), rows }))
    });
    let client = world.clients.households()?;
    let mut client = client.max_decoding_message_size(64 << 20);
    let mut answers = client.import_households(stream::iter(std::iter::once(options).chain(rows))).await?.into_inner();
    let mut tenths = Tenths::new(count);
    while let Some(answer) = answers.message().await? {
        tenths.reach(&answer.status.unwrap_or_default())?;
    }
    tenths.done()
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
    let mut tenths = Tenths::new(count);
    while let Some(answer) = answers.message().await? {
        tenths.reach(&answer.status.unwrap_or_default())?;
    }
    Ok(harmonic(&tenths.done()?))
}

fn row_number(row: usize) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}

/// When each tenth of an import was taken.
struct Tenths {
    count: usize,
    began: Instant,
    rates: Vec<f64>,
}

impl Tenths {
    fn new(count: usize) -> Self {
        Self { count, began: Instant::now(), rates: Vec::new() }
    }

    fn reach(&mut self, status: &ImportStatus) -> anyhow::Result<()> {
        ensure!(status.refused == 0, "rows were refused: {:?}", status.errors.first());
        let taken = usize::try_from(status.rows_taken)?;
        if taken * 10 >= self.count * (self.rates.len() + 1) {
            self.rates.push(ratio(self.count / 10, self.began.elapsed()));
            eprintln!("{taken} of {} rows", self.count);
            self.began = Instant::now();
        }
        Ok(())
    }

    fn done(self) -> anyhow::Result<Vec<f64>> {
        ensure!(self.rates.len() == 10, "the import ended after {} tenths", self.rates.len());
        Ok(self.rates)
    }
}

/// The rate of the whole by those of its tenths.
pub fn harmonic(rates: &[f64]) -> f64 {
    let sum: f64 = rates.iter().map(|rate| 1.0 / rate).sum();
    f64::from(u32::try_from(rates.len()).unwrap_or(1)) / sum
}
