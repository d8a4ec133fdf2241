//! What monitoring's events add to which figure.

use tongxin_platform::consumer::{Envelope, HandlerError};
use tongxin_proto::monitoring::v1::{CountChanged, Counted, SignalDecided, SignalRaised, VillageIncomeTierChanged};

use prost::Name as _;

use super::{
    effects::{Effects, pass_over},
    events::{add, change, decode},
};
use crate::domain::indicators::{
    Breakdown, Indicator,
    monitoring::{
        HOUSEHOLDS_IDENTIFIED, HOUSEHOLDS_REGISTERED, HOUSEHOLDS_RELAPSED, HOUSEHOLDS_REMOVED,
        HOUSEHOLDS_UNDER_MONITORING, IDENTIFIED, OPEN_SIGNALS, OVERDUE_STEPS, RELAPSED, REMOVED, UNDER_MONITORING,
        VILLAGES_INCOME_OVER_1M, VILLAGES_INCOME_OVER_100K, VILLAGES_INCOME_OVER_500K, WARNING_SIGNALS,
        WARNINGS_IDENTIFIED,
    },
};

/// Adds what follows from an event.
pub(super) fn read(event: &Envelope, effects: &mut Effects) -> Result<(), HandlerError> {
    match event.event_type.strip_prefix("tongxin.monitoring.v1.") {
        Some(CountChanged::NAME) => count_changed(event, effects, &decode(event)?),
        Some(SignalRaised::NAME) => counts_changed(event, effects, &decode::<SignalRaised>(event)?.counts),
        Some(SignalDecided::NAME) => counts_changed(event, effects, &decode::<SignalDecided>(event)?.counts),
        Some(VillageIncomeTierChanged::NAME) => tier_changed(event, effects),
        _ => pass_over(&event.event_type),
    }
}

/// An event that tells how counts change by itself.
fn counts_changed(event: &Envelope, effects: &mut Effects, counts: &[CountChanged]) -> Result<(), HandlerError> {
    counts.iter().try_for_each(|stated| count_changed(event, effects, stated))
}

fn count_changed(event: &Envelope, effects: &mut Effects, stated: &CountChanged) -> Result<(), HandlerError> {
    if stated.change == 0 {
        return Err(HandlerError::reject("a change of 0 is none"));
    }
    for indicator in counted(stated)? {
        let what = (&*stated.region_code, stated.occurred_on, stated.change);
        add(event, effects, indicator, what, &stated.subject)?;
    }
    Ok(())
}

/// The indicators that a change counts for.
fn counted(stated: &CountChanged) -> Result<Vec<&'static Indicator>, HandlerError> {
    let (whole, parts): (&Indicator, Option<&'static Breakdown>) = match stated.counted() {
        Counted::Unspecified => return Err(HandlerError::reject("what is counted is needed")),
        Counted::Households => (&HOUSEHOLDS_REGISTERED, None),
        Counted::UnderMonitoring => (&HOUSEHOLDS_UNDER_MONITORING, Some(&UNDER_MONITORING)),
        Counted::Identified => (&HOUSEHOLDS_IDENTIFIED, Some(&IDENTIFIED)),
        Counted::Removed => (&HOUSEHOLDS_REMOVED, Some(&REMOVED)),
        Counted::Relapsed => (&HOUSEHOLDS_RELAPSED, Some(&RELAPSED)),
        Counted::OpenSignals => (&OPEN_SIGNALS, None),
        Counted::OverdueSteps => (&OVERDUE_STEPS, None),
        Counted::WarningSignals => (&WARNING_SIGNALS, None),
        Counted::WarningsIdentified => (&WARNINGS_IDENTIFIED, None),
    };
    let mut indicators = vec![whole];
    if let Some(parts) = parts {
        indicators.push(parts.of_category(&stated.category));
        indicators.extend(stated.risks.iter().filter_map(|risk| parts.of_risk(*risk)));
    }
    Ok(indicators)
}

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
                "households_removed_marginal",
                "households_removed_illness",
                "households_removed_other",
            ]
        );
    }

    #[test]
    fn a_category_of_another_scheme_counts_as_such() {
        assert_eq!(
            ids(Counted::Relapsed, "tier_two", &[Risk::Unspecified]),
            ["households_relapsed", "households_relapsed_other_category"]
        );
    }
}
