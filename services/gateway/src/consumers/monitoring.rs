//! What monitoring's events add to which figure.

use tongxin_platform::consumer::{Envelope, HandlerError};
use tongxin_proto::monitoring::v1::{CountChanged, Counted, VillageIncomeTierChanged};

use prost::Name as _;

use super::{
    Effects,
    events::{add, change, decode},
    pass_over,
};
use crate::domain::indicators::{
    Indicator,
    monitoring::{
        CATEGORIES, HOUSEHOLDS_IDENTIFIED, HOUSEHOLDS_IDENTIFIED_IN_YEAR, HOUSEHOLDS_REGISTERED, HOUSEHOLDS_RELAPSED,
        HOUSEHOLDS_RELAPSED_IN_YEAR, HOUSEHOLDS_REMOVED, HOUSEHOLDS_REMOVED_IN_YEAR, HOUSEHOLDS_UNDER_MONITORING,
        IDENTIFIED_BY_CATEGORY, IDENTIFIED_BY_RISK, OPEN_SIGNALS, OVERDUE_STEPS, REMOVED_BY_CATEGORY, REMOVED_BY_RISK,
        UNDER_MONITORING_BY_CATEGORY, UNDER_MONITORING_BY_RISK, VILLAGES_INCOME_OVER_1M, VILLAGES_INCOME_OVER_100K,
        VILLAGES_INCOME_OVER_500K, WARNING_SIGNALS, WARNINGS_IDENTIFIED,
    },
};

/// Adds what follows from an event.
pub(super) fn read(event: &Envelope, effects: &mut Effects) -> Result<(), HandlerError> {
    match event.event_type.strip_prefix("tongxin.monitoring.v1.") {
        Some(CountChanged::NAME) => count_changed(event, effects),
        Some(VillageIncomeTierChanged::NAME) => tier_changed(event, effects),
        _ => pass_over(&event.event_type),
    }
}

fn count_changed(event: &Envelope, effects: &mut Effects) -> Result<(), HandlerError> {
    let stated: CountChanged = decode(event)?;
    if stated.change == 0 {
        return Err(HandlerError::reject("a change of 0 is none"));
    }
    for indicator in counted(&stated)? {
        let what = (&*stated.region_code, stated.occurred_on, stated.change);
        add(event, effects, indicator, what, &stated.subject)?;
    }
    Ok(())
}

/// The indicators that a change counts for.
fn counted(stated: &CountChanged) -> Result<Vec<&'static Indicator>, HandlerError> {
    let (wholes, parts): (&[&Indicator], Option<Parts>) = match stated.counted() {
        Counted::Unspecified => return Err(HandlerError::reject("what is counted is needed")),
        Counted::Households => (&[&HOUSEHOLDS_REGISTERED], None),
        Counted::UnderMonitoring => {
            (&[&HOUSEHOLDS_UNDER_MONITORING], Some((&UNDER_MONITORING_BY_CATEGORY, &UNDER_MONITORING_BY_RISK)))
        }
        Counted::Identified => (
            &[&HOUSEHOLDS_IDENTIFIED, &HOUSEHOLDS_IDENTIFIED_IN_YEAR],
            Some((&IDENTIFIED_BY_CATEGORY, &IDENTIFIED_BY_RISK)),
        ),
        Counted::Removed => {
            (&[&HOUSEHOLDS_REMOVED, &HOUSEHOLDS_REMOVED_IN_YEAR], Some((&REMOVED_BY_CATEGORY, &REMOVED_BY_RISK)))
        }
        Counted::Relapsed => (&[&HOUSEHOLDS_RELAPSED, &HOUSEHOLDS_RELAPSED_IN_YEAR], None),
        Counted::OpenSignals => (&[&OPEN_SIGNALS], None),
        Counted::OverdueSteps => (&[&OVERDUE_STEPS], None),
        Counted::WarningSignals => (&[&WARNING_SIGNALS], None),
        Counted::WarningsIdentified => (&[&WARNINGS_IDENTIFIED], None),
    };
    let mut indicators = wholes.to_vec();
    if let Some((categories, risks)) = parts {
        let category = CATEGORIES.iter().position(|code| *code == stated.category);
        indicators.extend(category.map(|place| &categories[place]));
        for risk in stated.risks() {
            // The contract counts risks from 1; 0 says nothing.
            let place = usize::try_from(i32::from(risk) - 1);
            indicators.extend(place.ok().and_then(|place| risks.get(place)));
        }
    }
    Ok(indicators)
}

/// What breaks a whole down by category and by risk.
type Parts = (&'static [Indicator; 3], &'static [Indicator; 11]);

fn tier_changed(event: &Envelope, effects: &mut Effects) -> Result<(), HandlerError> {
    let stated: VillageIncomeTierChanged = decode(event)?;
    let indicator = match stated.tier.as_str() {
        "over_100k" => &VILLAGES_INCOME_OVER_100K,
        "over_500k" => &VILLAGES_INCOME_OVER_500K,
        "over_1m" => &VILLAGES_INCOME_OVER_1M,
        // Tiers are configuration; figures are made of these three.
        _ => return Ok(()),
    };
    let amount = change(stated.change)?;
    add(event, effects, indicator, (&stated.region_code, stated.occurred_on, amount), &stated.region_code)
}

#[cfg(test)]
mod tests {
    use tongxin_proto::monitoring::v1::Risk;

    use super::*;

    fn ids(counted_as: Counted, category: &str, risks: &[Risk]) -> Vec<&'static str> {
        let stated = CountChanged {
            counted: counted_as.into(),
            category: category.to_owned(),
            risks: risks.iter().map(|risk| (*risk).into()).collect(),
            ..CountChanged::default()
        };
        counted(&stated).unwrap().iter().map(|indicator| indicator.id).collect()
    }

    #[test]
    fn a_household_counts_for_its_category_and_once_for_each_risk() {
        assert_eq!(
            ids(Counted::Removed, "marginal", &[Risk::Illness, Risk::Other]),
            [
                "households_removed",
                "households_removed_in_year",
                "households_removed_marginal",
                "households_removed_illness",
                "households_removed_other",
            ]
        );
    }

    #[test]
    fn a_category_of_another_scheme_counts_in_the_whole_only() {
        assert_eq!(ids(Counted::UnderMonitoring, "tier_two", &[]), ["households_under_monitoring"]);
    }

    #[test]
    fn each_category_and_risk_has_its_part() {
        for (code, part) in CATEGORIES.iter().zip(&IDENTIFIED_BY_CATEGORY) {
            assert_eq!(part.id, format!("households_identified_{code}"));
        }
        for (number, part) in (1..).zip(&IDENTIFIED_BY_RISK) {
            let name = Risk::try_from(number).unwrap().as_str_name().trim_start_matches("RISK_").to_lowercase();
            assert_eq!(part.id, format!("households_identified_{name}"));
        }
    }
}
