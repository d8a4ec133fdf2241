//! What villages earned: as many above each tier as were published, and less in the years before.

use anyhow::{Result, ensure};
use chrono::Datelike as _;
use tongxin_proto::{
    monitoring::v1::{IncomeAmount, IncomeKind},
    register::v1::RegionLevel,
};

use crate::sample::{chance::Chance, files::Files};

/// The collective income of a village in a year.
#[derive(Debug, Clone)]
pub struct Income {
    /// The village.
    pub region_code: String,
    /// The year.
    pub year: i32,
    /// By kind.
    pub amounts: Vec<IncomeAmount>,
}

/// Fen in 10,000 yuan.
const WAN: i64 = 1_000_000;

/// Incomes of all assisted villages in all years.
pub fn of(files: &Files) -> Result<Vec<Income>> {
    let villages: Vec<_> =
        files.regions.iter().filter(|region| region.assisted && region.level() == RegionLevel::Village).collect();
    let [over_100k, over_500k, over_1m] =
        ["villages_income_over_100k", "villages_income_over_500k", "villages_income_over_1m"]
            .map(|indicator| files.count(indicator));
    let (over_100k, over_500k, over_1m) = (over_100k?, over_500k?, over_1m?);
    ensure!(
        over_1m <= over_500k && over_500k <= over_100k && over_100k <= villages.len(),
        "more villages were published above a tier than there are"
    );
    let mut chance = Chance::of(files.manifest.seed, "incomes");
    let order = chance.mixed(villages.len());
    let years = files.manifest.register_effective_from.year()..=files.manifest.as_of.year();
    let mut incomes = Vec::new();
    for (rank, place) in order.into_iter().enumerate() {
        let (least, most) = if rank < over_1m {
            (101, 180)
        } else if rank < over_500k {
            (51, 99)
        } else if rank < over_100k {
            (11, 49)
        } else {
            (2, 9)
        };
        let total = WAN * i64::try_from(least + chance.below(most - least + 1))?;
        for year in years.clone() {
            // Each year before had a sixth less.
            let before = files.manifest.as_of.year() - year;
            let total = (0..before).fold(total, |total, _| total * 5 / 6);
            incomes.push(Income { region_code: villages[place].code.clone(), year, amounts: amounts(total) });
        }
    }
    Ok(incomes)
}

fn amounts(total: i64) -> Vec<IncomeAmount> {
    let amount = |kind: IncomeKind, amount_fen| IncomeAmount { kind: kind.into(), amount_fen };
    let (operating, contracting, investment) = (total * 2 / 5, total / 4, total / 5);
    vec![
        amount(IncomeKind::Operating, operating),
        amount(IncomeKind::Contracting, contracting),
        amount(IncomeKind::Investment, investment),
        amount(IncomeKind::Other, total - operating - contracting - investment),
    ]
}
