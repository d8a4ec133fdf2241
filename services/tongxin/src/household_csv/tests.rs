//! Files of users, and the errors of invalid ones.

use tongxin_proto::monitoring::v1::{Disaster, Health, HousingGrade, Relation, Risk, Shock};

use super::*;

const HOUSEHOLDS: &str =
    "household_number,region_code,support,name,id_number,relation,health,labour,schooling,insurances,work\n";
const HEAD: &str = "1,441823107200,none,陈伯,11010519491231002X,head,serious_illness;disabled,weak,not_at_school,resident_medical,farming\n";
const SPOUSE: &str = "1,,,李姨,110101202311012176,spouse,healthy,ordinary,not_at_school,,none\n";
const OTHER: &str = "2,441823107200,none,张三,360426199101010071,head,healthy,ordinary,not_at_school,,none\n";

const OBSERVATIONS: &str = "household_number,window_ends_on,wages,business,property,transfer,business_expense,\
     out_of_pocket,insurance_received,schooling_guaranteed,medical_guaranteed,housing_grade,water_safe,shocks\n";

fn households(rows: &[&str]) -> Vec<Result<Row<tongxin_proto::monitoring::v1::HouseholdDraft>, String>> {
    let file = [HOUSEHOLDS, &rows.concat()].concat();
    HouseholdRows::open(file.as_bytes()).unwrap().map(|row| row.map_err(|error| error.to_string())).collect()
}

fn observation(row: &str) -> Result<tongxin_proto::monitoring::v1::ObservationDraft, String> {
    let file = [OBSERVATIONS, row].concat();
    let row = ObservationRows::open(file.as_bytes()).unwrap().next().unwrap();
    row.map(|row| row.draft).map_err(|error| error.to_string())
}

#[test]
fn lines_with_one_number_are_one_household() {
    let read: Vec<_> = households(&[HEAD, SPOUSE, OTHER]).into_iter().map(Result::unwrap).collect();
    assert_eq!(read.iter().map(|row| (row.line, row.draft.members.len())).collect::<Vec<_>>(), [(2, 2), (4, 1)]);
    let [head, spouse] = &read[0].draft.members[..] else { unreachable!() };
    assert_eq!((head.relation(), spouse.relation()), (Relation::Head, Relation::Spouse));
    assert_eq!(head.health, [i32::from(Health::SeriousIllness), i32::from(Health::Disabled)]);
    assert_eq!(read[0].draft.region_code, "441823107200");
}

#[test]
fn what_is_wrong_with_a_household_is_named_and_the_others_are_read() {
    for (line, expected) in [
        (SPOUSE.replace("spouse", "wife"), "line 3, column relation: \"wife\" is none of: head, spouse, child"),
        (SPOUSE.replace(",,,", ",441823107201,,"), "line 3, column region_code: differs from line 2"),
        (
            SPOUSE.replace("healthy", "healthy;ill"),
            "line 3, column health: \"ill\" is none of: healthy, chronic_disease",
        ),
    ] {
        let read = households(&[HEAD, &line, OTHER]);
        assert!(read[0].as_ref().unwrap_err().starts_with(expected), "{read:?}");
        assert!(read[1].is_ok() && read.len() == 2);
    }
    let read = households(&[&HEAD.replacen('1', "", 1)]);
    assert!(read[0].as_ref().unwrap_err().starts_with("line 2, column household_number: is empty"), "{read:?}");
    let read = households(&[HEAD, "1,44"]);
    assert!(read.len() == 1 && read[0].as_ref().unwrap_err().contains("is the file only half there?"), "{read:?}");
}

#[test]
fn amounts_are_yuan() {
    let read = observation("1,2025-06-30,20000.5,,-3,0,0,0,0,1,0,b,1,natural_disaster/flood:15000; accident:0.01\n");
    let read = read.unwrap();
    assert_eq!((read.wages_fen, read.business_fen, read.property_fen), (2_000_050, 0, -300));
    assert_eq!((read.schooling_guaranteed, read.medical_guaranteed), (true, false));
    assert_eq!(read.housing_grade(), HousingGrade::B);
    let flood = Shock { cause: Risk::NaturalDisaster.into(), disaster: Disaster::Flood.into(), loss_fen: 1_500_000 };
    let accident = Shock { cause: Risk::Accident.into(), disaster: 0, loss_fen: 1 };
    assert_eq!(read.shocks, [flood, accident]);
}

#[test]
fn what_is_wrong_with_an_observation_is_named() {
    for (row, expected) in [
        ("1,2025-6,0,0,0,0,0,0,0,1,1,a,1,\n", "line 2, column window_ends_on: is \"2025-6\": a day such as"),
        ("1,2025-06-30,1e3,0,0,0,0,0,0,1,1,a,1,\n", "line 2, column wages: \"1e3\" is no amount in yuan"),
        ("1,2025-06-30,0,0,0,0,0,0,0,yes,1,a,1,\n", "line 2, column schooling_guaranteed: is \"yes\": 0 or 1"),
        ("1,2025-06-30,0,0,0,0,0,0,0,1,1,a,1,flood\n", "line 2, column shocks: \"flood\" is not like accident:20000"),
    ] {
        let refused = observation(row).unwrap_err();
        assert!(refused.starts_with(expected), "{refused}");
    }
}
