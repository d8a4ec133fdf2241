//! Loads the sample year through a gateway, like any other client.
//!
//! Every request has an idempotency key derived from the sample's name and its position, so an interrupted load can
//! simply be repeated: requests already carried out return their stored responses and change nothing.

mod monitoring;
mod pairing;

use std::future::Future;

use anyhow::{Result, bail};
use tongxin_proto::{
    HasOutcome, Parts,
    batch::v1::{BatchOptions, RowError},
    monitoring::v1::Department,
};
use tonic::Status;

use super::{files::Files, monitoring::Kept, year::Year};
use crate::{client::Gateway, lang::told, patience::Patience, progress::Progress, said};

const CALLS_IN_FLIGHT: usize = 16;

/// Loads the data of pairing, then of monitoring: the register with the token that may load it for the whole country,
/// and warnings with a token of each department.
pub async fn load(
    (gateway, register): (&Gateway, &Gateway),
    speaking_for: &dyn Fn(Department) -> Result<Gateway>,
    files: &Files,
    (year, kept): (&Year, &Kept),
) -> Result<()> {
    let loading = Loading { gateway, register, speaking_for, files };
    loading.pairing(year).await?;
    loading.monitoring(kept).await
}

struct Loading<'sample> {
    gateway: &'sample Gateway,
    register: &'sample Gateway,
    /// A gateway with a token of a department.
    speaking_for: &'sample dyn Fn(Department) -> Result<Gateway>,
    files: &'sample Files,
}

impl Loading<'_> {
    /// Retries while the service is unavailable.
    async fn call<T, Call>(&self, mut call: impl FnMut() -> Call) -> Result<T>
    where
        Call: Future<Output = Result<T, Status>>,
    {
        let mut patience = Patience::with_all();
        loop {
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(status) if patience.again(&status, |note| note!("{note}")).await => {}
                Err(status) => return Err(self.gateway.explain(&status)),
            }
        }
    }
}

/// The messages of a batch, with some rows each.
fn batch<P: Parts<Options = BatchOptions>>(options: BatchOptions, rows: &[P::Row], in_each: usize) -> Vec<P> {
    let rows = rows.chunks(in_each).map(|rows| P::of_rows(0, rows.to_vec()));
    std::iter::once(P::of_options(options)).chain(rows).collect()
}

/// The identifiers that a batch created; fails if it refused a row.
fn carried_out(progress: Progress, answer: impl HasOutcome) -> Result<Vec<String>> {
    let outcome = answer.into_outcome();
    none_refused(&outcome.errors)?;
    progress.end(&outcome.accepted.to_string());
    Ok(outcome.ids)
}

fn none_refused(errors: &[RowError]) -> Result<()> {
    if let Some(RowError { row, reason, message, .. }) = errors.first() {
        let (count, said) = (errors.len(), said::row(reason, message));
        bail!(told!("{count} row(s) refused; row {row}: {said}", "退回 {count} 行；第 {row} 行：{said}"));
    }
    Ok(())
}
