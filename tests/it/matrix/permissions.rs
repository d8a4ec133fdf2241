//! What each role may do, beside a table that people have read.

use std::fmt::Write as _;

use tongxin_tests::dynamic::Outcome;
use tonic::Code;

use super::{
    entries::calls,
    world::{TURN, Way, methods, name, world},
};

pub const ROLES: [&str; 8] = ["hq", "county", "town", "village", "department", "auditor", "operator", "system"];

/// The roles of each RPC by their first letters, in the order of `ROLES`; `-` is one that may not.
const TABLE: &str = "
hctv---- CaseService/BatchCaseCommands
hctv---- CaseService/FinishMeasure
hctv-aos CaseService/GetCase
hctv-aos CaseService/ListCases
hctv-aos CaseService/ListOverdueSteps
hctv---- CaseService/OpenCase
hctv---- CaseService/PlanMeasure
hctv---- CaseService/ProposeRemoval
hctv---- CaseService/RecordStep
hctv---- CaseService/RenderNotice
hc------ CaseService/RollBackRemoval
-----a-- DisclosureService/ListDisclosures
hctvdaos GatewayService/GetScorecard
hctvdaos GatewayService/ListIndicators
hctv---- HouseholdService/ChangeHousehold
hctv-a-- HouseholdService/FindHouseholds
hctv-aos HouseholdService/GetHousehold
hctv-aos HouseholdService/GetImport
hct---o- HouseholdService/ImportHouseholds
hctv-aos HouseholdService/ListHouseholds
hct----- HouseholdService/MergeHouseholds
hct----- HouseholdService/MoveHousehold
hctv---- HouseholdService/RegisterHousehold
hctv---- HouseholdService/RemoveMember
hctv-a-- HouseholdService/RevealHousehold
hctv---- HouseholdService/SetMember
hct----- HouseholdService/UndoMerge
------os LogService/GetHash
------os LogService/GetHead
------os LogService/ReadEvents
hct---o- ObservationService/ImportObservations
hctv-aos ObservationService/ListObservations
hctv---- ObservationService/RecordObservation
hct----- PairingService/BatchEstablishPairings
hct----- PairingService/BatchRegisterOrganisations
hc------ PairingService/CloseOrganisation
hct----- PairingService/EndPairing
hct----- PairingService/EstablishPairing
hctvdaos PairingService/GetCoverage
hctvdaos PairingService/GetOrganisation
hctvdaos PairingService/GetPairing
hctvdaos PairingService/GetRegion
------o- PairingService/ImportRegions
hctvdaos PairingService/ListJointActivities
hctvdaos PairingService/ListOrganisations
hctvdaos PairingService/ListPairings
hctvdaos PairingService/ListRegions
hctv---- PairingService/RecordJointActivity
hct----- PairingService/RegisterOrganisation
hctv---- PairingService/VoidJointActivity
hct----- PairingService/VoidPairing
hctvdaos RuleService/GetRuleSet
hctvdaos RuleService/ListHolidays
hctvdaos RuleService/ListRuleSets
hctv-aos RuleService/ListVerdicts
hctv-aos RuleService/ReplayVerdict
hct----- RuleService/ScreenHouseholds
h-----o- RuleService/SetHolidays
hc----o- RuleService/SimulateRuleSet
h-----o- RuleService/StoreRuleSet
hctv---- SignalService/DecideSignal
hctv-aos SignalService/GetFunnel
hctv-aos SignalService/GetSignal
hctv-aos SignalService/ListSignals
hctv---- SignalService/ReportSignal
----d--- SignalService/SubmitWarnings
hct----- VillageService/CheckHouseholds
hctvdaos VillageService/GetVillageIncome
hctv-aos VillageService/ListDefectiveHouseholds
hctv-aos VillageService/ListDefects
hctv-aos VillageService/ListQualityRules
hct----- VillageService/RecordVillageIncome
";

fn may(outcome: &Outcome) -> bool {
    let denied = outcome.refused.as_ref().is_some_and(|status| status.code() == Code::PermissionDenied);
    !(denied && outcome.reason() == "PERMISSION_MISSING")
}

#[tokio::test]
async fn each_role_may_call_what_the_table_says_and_nothing_else() {
    let world = world().await;
    let _turn = TURN.lock().await;
    let mut found = String::from("\n");
    let mut methods = methods();
    methods.sort_by_key(name);
    for method in methods {
        let mut roles = String::new();
        for role in ROLES {
            // Nothing is there that could be read or changed.
            let token = world.token(&[role], "441899000000");
            let absent = world.places[0].absent();
            let call = calls(&name(&method), &absent, &absent).unwrap_or_default();
            let outcome = world.call(Way::Gateway, Some(&token), &name(&method), &call[0]).await;
            roles.push(if may(&outcome) { role.chars().next().unwrap_or_default() } else { '-' });
        }
        let _ = writeln!(found, "{roles} {}", name(&method));
    }
    assert_eq!(found, TABLE, "found:{found}");
}
