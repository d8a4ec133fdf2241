//! The year is the same each time, and its records add up to the published figures.

use std::collections::HashSet;

use super::*;
use crate::sample::SampleName;

fn files() -> Files {
    Files::of(SampleName::Qingyuan2025).unwrap()
}

/// Number of distinct organisations on one side of pairings of a kind.
fn paired(year: &Year, kind: PairingKind, side: impl Fn(&Pairing) -> usize) -> usize {
    let of_kind = year.pairings.iter().filter(|pairing| pairing.kind == kind);
    of_kind.map(side).collect::<HashSet<_>>().len()
}

#[test]
fn the_same_files_make_the_same_year() {
    assert_eq!(Year::of(&files()).unwrap(), Year::of(&files()).unwrap());
}

#[test]
fn records_add_up_to_what_was_published() {
    let files = files();
    let year = Year::of(&files).unwrap();
    let published = |indicator| files.count(indicator).unwrap();
    let (supporter, recipient) = (|pairing: &Pairing| pairing.supporter, |pairing: &Pairing| pairing.recipient);
    assert_eq!(paired(&year, PairingKind::Party, supporter), published("supporter_party_organisations_paired"));
    assert_eq!(paired(&year, PairingKind::Party, recipient), published("villages_party_paired"));
    assert_eq!(paired(&year, PairingKind::School, supporter), published("supporter_schools_paired"));
    assert_eq!(paired(&year, PairingKind::School, recipient), published("recipient_schools_paired"));
}

#[test]
fn enterprises_support_every_village_of_one_town_and_no_other() {
    let files = files();
    let year = Year::of(&files).unwrap();
    let host = |place: usize| year.organisations[place].host_kind();
    let by_enterprises = year.pairings.iter().filter(|pairing| host(pairing.supporter) == OrganisationKind::Enterprise);
    let villages: HashSet<_> =
        by_enterprises.map(|pairing| year.organisations[pairing.recipient].region_code.clone()).collect();
    assert_eq!(villages.len(), files.count("villages_dual_covered_taiping").unwrap());
    let town = files.manifest.dual_region;
    assert!(villages.iter().all(|village| town.contains(RegionCode::parse(village).unwrap())));
}

#[test]
fn no_two_organisations_share_a_name_and_no_two_pairings_their_sides() {
    let year = Year::of(&files()).unwrap();
    let names: HashSet<_> = year.organisations.iter().map(|organisation| &organisation.name).collect();
    assert_eq!(names.len(), year.organisations.len());
    let sides: HashSet<_> = year.pairings.iter().map(|pairing| (pairing.supporter, pairing.recipient)).collect();
    assert_eq!(sides.len(), year.pairings.len());
}

#[test]
fn pairings_begin_in_every_year_and_activities_follow_them() {
    let files = files();
    let year = Year::of(&files).unwrap();
    let mut begun: HashMap<i32, usize> = HashMap::new();
    for pairing in &year.pairings {
        *begun.entry(pairing.starts_on.year()).or_default() += 1;
    }
    assert_eq!(begun.len(), 5, "{begun:?}");
    for activity in &year.activities {
        let starts_on = year.pairings[activity.pairing].starts_on;
        assert!(starts_on <= activity.held_on && activity.held_on <= files.manifest.as_of);
        assert_eq!(activity.kind == ActivityKind::Other, !activity.remark.is_empty());
    }
    assert!(year.activities.iter().any(|activity| activity.held_on.year() == files.manifest.as_of.year()));
}
