//! `tongxin import`: files into services.
//!
//! | file | |
//! |---|---|
//! | `regions`    | an edition of the register, all or nothing |
//! | `households` | households and observations, row by row |
//! | `rows`       | checks and sends such rows, and resumes after an interruption |

mod households;
mod regions;
mod rows;

use anyhow::Result;
use clap::Subcommand;

/// Takes files in.
#[derive(Debug, Subcommand)]
pub enum What {
    Regions(regions::Regions),
    Households(households::Households),
    Observations(households::Observations),
}

pub async fn run(what: What) -> Result<()> {
    match what {
        What::Regions(args) => regions::run(args).await,
        What::Households(args) => rows::run::<households::OfHouseholds>(args.import).await,
        What::Observations(args) => rows::run::<households::OfObservations>(args.import).await,
    }
}
