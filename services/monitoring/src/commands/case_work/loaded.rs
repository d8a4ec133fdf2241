//! Loads what commands need, with one statement for each kind of record.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{register, request::Context};

use super::{CaseWork, Footprint, Rights};
use crate::{
    commands::Policy,
    domain::{
        CaseId, HouseholdId,
        case::{Case, Notice},
    },
    error::Error,
    store::{
        case_signals, cases, dated_rules, dossiers,
        households::{self, Head},
        measures, profiles, standings,
    },
};

impl<'a> CaseWork<'a> {
    /// Locks the households of all records that are needed, then loads these.
    pub(in crate::commands) async fn load(
        conn: &mut PgConnection,
        (context, policy, rights): (&'a Context, &'a Policy, Rights),
        mut needs: Footprint,
    ) -> Result<Self, Error> {
        let ids: Vec<_> = needs.measures.iter().copied().collect();
        let case_of = measures::cases_of(conn, &ids).await?;
        needs.cases.extend(case_of.values());
        needs.standings.extend(needs.of_measures.iter().filter_map(|(of, day)| Some((*case_of.get(of)?, *day))));
        let ids: Vec<CaseId> = needs.cases.iter().copied().collect();
        let mut household_of = needs.opened.clone();
        household_of.extend(cases::households_of(conn, &ids).await?);
        needs.households.extend(household_of.values());

        let households: Vec<HouseholdId> = needs.households.iter().copied().collect();
        let heads = households::lock(conn, &households).await?;
        let opened = needs.opened.values().filter_map(|household| Some(heads.get(household)?.region));
        let homes = register::known(conn, opened).await?;
        profiles::count_elderly(conn, &households, context.today()).await?;
        let cases = cases::of_households(conn, &households).await?;
        let ids: Vec<CaseId> = cases.iter().map(|case| case.id).collect();
        let measures = measures::of_cases(conn, &ids).await?;

        let whose = |days: &BTreeSet<(CaseId, NaiveDate)>| -> Vec<(HouseholdId, NaiveDate)> {
            days.iter().filter_map(|(case, day)| Some((*household_of.get(case)?, *day))).collect()
        };
        let rules = dated_rules::load(conn, &ruled(&whose(&needs.rules), &heads, &cases)).await?;
        let standings = standings::find(conn, &whose(&needs.standings).into_iter().collect()).await?;
        let people = dossiers::people(conn, &households).await?;
        let waiting: Vec<_> = needs.waiting.iter().copied().collect();
        needs.signals.extend(case_signals::waiting(conn, context, &waiting).await?);
        let ids: Vec<_> = needs.signals.iter().copied().collect();
        let signals = case_signals::find(conn, context, &ids).await?;

        let mut work = Self {
            context,
            policy,
            rights,
            heads,
            homes,
            cases: HashMap::new(),
            of_household: HashMap::new(),
            measures: BTreeMap::new(),
            of_case: HashMap::new(),
            rules,
            standings,
            people,
            signals,
            changed_cases: Vec::new(),
            changed_measures: Vec::new(),
        };
        for case in cases {
            work.of_household.entry(case.household).or_default().push(case.id);
            work.cases.insert(case.id, case);
        }
        for measure in measures {
            work.of_case.entry(measure.case).or_default().push(measure.id);
            work.measures.insert(measure.id, measure);
        }
        Ok(work)
    }
}

/// The villages and days whose rules are needed: those of the commands, and those on which notices were put up.
fn ruled(
    days: &[(HouseholdId, NaiveDate)],
    heads: &HashMap<HouseholdId, Head>,
    cases: &[Case],
) -> Vec<dated_rules::Asked> {
    let opened_by: HashMap<HouseholdId, _> =
        cases.iter().filter(|case| !case.stage.is_closed()).map(|case| (case.household, case.rule_set)).collect();
    let of_command = |(household, day): &(HouseholdId, NaiveDate)| {
        let head = heads.get(household)?;
        Some((head.region, *day, opened_by.get(household).copied()))
    };
    let of_notice = |case: &Case| {
        let Notice { posted_on, .. } = case.history.notice().filter(|_| case.stage.next().is_some())?;
        Some((case.region, posted_on, Some(case.rule_set)))
    };
    let notices = cases.iter().filter_map(of_notice);
    days.iter().filter_map(of_command).chain(notices).collect()
}
