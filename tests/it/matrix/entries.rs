//! How every RPC is called about the things of a place. A new RPC needs one entry: its name, and its messages in their
//! JSON form, in which the things of `world.rs` stand.

use chrono::{Datelike as _, Days, NaiveDate};
use serde_json::{Value, json};
use tongxin_platform::clock::Clock;
use tongxin_tests::entries::{id_number, request_id};

use super::things::Things;

/// The messages of one call.
pub type Call = Vec<Value>;

/// The calls of a method about the things of a place, by a caller who has things of its own; `None` for a method
/// without an entry.
#[expect(clippy::too_many_lines, clippy::match_same_arms, reason = "one table, one entry for each RPC")]
pub fn calls(method: &str, of: &Things, own: &Things) -> Option<Vec<Call>> {
    let it = |name| of.get(name);
    let mine = |name| own.get(name);
    let village = it("village");
    Some(match method {
        // The gateway's own.
        "GatewayService/ListIndicators" => vec![vec![json!({})]],
        "GatewayService/GetScorecard" => {
            ["village", "town", "county"].map(|level| vec![json!({ "regionCode": it(level) })]).into()
        }
        // Logs hold every region's events, as the contract says.
        "LogService/GetHead" => vec![vec![json!({})]],
        "LogService/GetHash" => vec![vec![json!({ "seq": 1 })]],
        "LogService/ReadEvents" => vec![vec![json!({ "limit": 1 })]],

        // Pairing.
        "PairingService/ImportRegions" => {
            let row = |code: &str, parent: &str| {
                let row =
                    json!({ "code": code, "name": "新名村", "level": "REGION_LEVEL_VILLAGE", "parentCode": parent });
                json!({ "rows": { "rows": [row] } })
            };
            let edition = |complete_for: &str| {
                let rows = i64::from(!complete_for.is_empty());
                json!({ "edition": {
                    "requestId": request_id(), "effectiveFrom": day(0), "completeFor": complete_for, "rowCount": rows,
                }})
            };
            let foreign = || row(village, it("town"));
            vec![
                vec![edition(""), foreign()],
                vec![edition(village), foreign()],
                vec![edition(it("town")), row(mine("village"), mine("town"))],
            ]
        }
        "PairingService/GetRegion" => {
            ["village", "town", "county"].map(|level| vec![json!({ "code": it(level) })]).into()
        }
        "PairingService/ListRegions" => ["town", "county"].map(|level| vec![json!({ "parentCode": it(level) })]).into(),
        "PairingService/RegisterOrganisation" => {
            vec![vec![json!({ "requestId": request_id(), "organisation": organisation("第二党支部", village) })]]
        }
        "PairingService/BatchRegisterOrganisations" => vec![vec![
            json!({ "options": { "requestId": request_id() } }),
            json!({ "rows": { "rows": [organisation("第三党支部", village)] } }),
        ]],
        "PairingService/ImportOrganisations" => {
            let named = |mut row: Value| {
                row["organisationId"] = it("recipient").into();
                row
            };
            let rows = [organisation("第四党支部", village), named(organisation("第一党支部", mine("village")))];
            [false, true].map(|dry_run| import(dry_run, &rows)).into()
        }
        "PairingService/GetImport" => vec![vec![json!({ "importId": it("import") })]],
        "PairingService/GetOrganisation" => vec![vec![json!({ "organisationId": it("recipient") })]],
        "PairingService/ListOrganisations" => {
            ["village", "around"].map(|level| vec![json!({ "regionCode": it(level) })]).into()
        }
        "PairingService/ChangeOrganisation" => vec![vec![json!({
            "requestId": request_id(), "organisationId": it("recipient"), "name": "第一党支部（改）",
        })]],
        "PairingService/CloseOrganisation" => vec![vec![json!({
            "requestId": request_id(), "organisationId": it("recipient"), "closedOn": day(0), "reason": "合并",
        })]],
        "PairingService/EstablishPairing" => {
            vec![vec![json!({ "requestId": request_id(), "pairing": pairing(it("supporter"), it("recipient")) })]]
        }
        "PairingService/BatchEstablishPairings" => vec![vec![
            json!({ "options": { "requestId": request_id() } }),
            json!({ "rows": { "rows": [pairing(it("supporter"), it("recipient"))] } }),
        ]],
        "PairingService/ImportPairings" => {
            let named = |mut row: Value| {
                row["pairingId"] = it("pairing").into();
                row
            };
            let rows =
                [pairing(it("supporter"), it("recipient")), named(pairing(mine("supporter"), mine("recipient")))];
            [false, true].map(|dry_run| import(dry_run, &rows)).into()
        }
        "PairingService/EndPairing" => vec![vec![json!({
            "requestId": request_id(), "pairingId": it("pairing"), "endsOn": day(0), "reason": "到期",
        })]],
        "PairingService/VoidPairing" => {
            vec![vec![json!({ "requestId": request_id(), "pairingId": it("pairing"), "reason": "录错" })]]
        }
        "PairingService/GetPairing" => vec![vec![json!({ "pairingId": it("pairing") })]],
        "PairingService/ListPairings" => vec![
            vec![json!({ "regionCode": village })],
            vec![json!({ "organisationId": it("recipient") })],
            vec![json!({ "organisationId": it("supporter") })],
        ],
        "PairingService/RecordJointActivity" => vec![vec![json!({ "requestId": request_id(), "activity": {
            "pairingId": it("pairing"), "kind": "ACTIVITY_KIND_VISIT", "heldOn": day(9), "participants": 3,
        }})]],
        "PairingService/VoidJointActivity" => {
            vec![vec![json!({ "requestId": request_id(), "activityId": it("activity"), "reason": "录错" })]]
        }
        "PairingService/ListJointActivities" => vec![vec![json!({ "pairingId": it("pairing") })]],
        "PairingService/GetCoverage" => {
            ["village", "county"].map(|level| vec![json!({ "regionCode": it(level), "rule": "party" })]).into()
        }

        // Households.
        "HouseholdService/RegisterHousehold" => {
            vec![vec![json!({ "requestId": request_id(), "household": household(village, of, 3) })]]
        }
        "HouseholdService/ImportHouseholds" => {
            let named = |mut row: Value| {
                row["householdId"] = it("household").into();
                row
            };
            let rows = [household(village, of, 4), named(household(mine("village"), own, 4))];
            [false, true].map(|dry_run| import(dry_run, &rows)).into()
        }
        "HouseholdService/GetImport" => vec![vec![json!({ "importId": it("import") })]],
        "HouseholdService/GetHousehold" => vec![vec![json!({ "householdId": it("household") })]],
        "HouseholdService/ListHouseholds" => {
            ["village", "around"].map(|level| vec![json!({ "regionCode": it(level) })]).into()
        }
        "DisclosureService/ListDisclosures" => {
            vec![vec![json!({ "regionCode": village })], vec![json!({ "householdId": it("household") })]]
        }
        "HouseholdService/FindHouseholds" => vec![
            vec![json!({ "idNumber": it("id_number") })],
            vec![json!({ "idNumber": it("id_number"), "regionCode": village })],
            vec![json!({ "name": "甲一", "regionCode": village })],
        ],
        "HouseholdService/RevealHousehold" => {
            vec![vec![json!({ "householdId": it("household"), "purpose": "REVEAL_PURPOSE_HOME_VISIT" })]]
        }
        "HouseholdService/ChangeHousehold" => vec![vec![json!({
            "requestId": request_id(), "householdId": it("household"), "householdNumber": it("number"),
            "support": "SOCIAL_SUPPORT_NONE",
        })]],
        "HouseholdService/SetMember" => {
            let set = |household: &str, member: &str| {
                let draft = person(of, 0, "RELATION_HEAD");
                vec![json!({
                    "requestId": request_id(), "householdId": household, "memberId": member, "member": draft,
                })]
            };
            vec![set(it("household"), it("member")), set(mine("household"), it("member"))]
        }
        "HouseholdService/RemoveMember" => {
            let remove = |household: &str| {
                vec![json!({
                    "requestId": request_id(), "householdId": household, "memberId": it("member"), "leftOn": day(0),
                })]
            };
            vec![remove(it("household")), remove(mine("household"))]
        }
        "HouseholdService/MoveHousehold" => {
            let moved = |household: &str, to: &str| {
                vec![json!({
                    "requestId": request_id(), "householdId": household, "regionCode": to, "movedOn": day(0),
                })]
            };
            let to_there = moved(mine("household"), village);
            vec![moved(it("household"), village), moved(it("household"), mine("village")), to_there]
        }
        "HouseholdService/MergeHouseholds" => {
            let merge = |kept: &str, merged: &str| {
                vec![json!({ "requestId": request_id(), "keptId": kept, "mergedId": merged })]
            };
            vec![
                merge(it("household"), it("household_2")),
                merge(mine("household"), it("household")),
                merge(it("household"), mine("household")),
            ]
        }
        "HouseholdService/UndoMerge" => vec![vec![json!({ "requestId": request_id(), "mergeId": it("merge") })]],

        // Observations.
        "ObservationService/RecordObservation" => vec![
            vec![json!({ "requestId": request_id(), "observation": observation("householdId", it("household")) })],
            vec![json!({ "requestId": request_id(), "observation": observation("householdNumber", it("number")) })],
        ],
        "ObservationService/ImportObservations" => {
            let import = |field: &str, value: &str| {
                vec![
                    json!({ "options": { "importId": request_id() } }),
                    json!({ "rows": { "firstRow": 1, "rows": [observation(field, value)] } }),
                ]
            };
            vec![import("householdId", it("household")), import("householdNumber", it("number"))]
        }
        "ObservationService/ListObservations" => vec![vec![json!({ "householdId": it("household") })]],

        // Who looked at what.

        // Rules.
        "RuleService/StoreRuleSet" => {
            vec![vec![json!({ "requestId": request_id(), "ruleSet": rule_set(village) })]]
        }
        "RuleService/GetRuleSet" => vec![vec![json!({ "ruleSetId": it("rule_set") })]],
        "RuleService/ListRuleSets" => {
            ["village", "around"].map(|level| vec![json!({ "regionCode": it(level) })]).into()
        }
        "RuleService/ScreenHouseholds" => ["village", "county"]
            .map(|level| vec![json!({ "requestId": request_id(), "regionCode": it(level) })])
            .into(),
        "RuleService/SimulateRuleSet" => {
            let simulate = |of: &str, on: &str| vec![json!({ "ruleSet": rule_set(of), "regionCode": on })];
            vec![simulate(village, village), simulate(mine("village"), village)]
        }
        "RuleService/ListVerdicts" => vec![vec![json!({ "householdId": it("household") })]],
        "RuleService/ReplayVerdict" => vec![vec![json!({ "verdictId": it("verdict") })]],
        "RuleService/SetHolidays" => vec![vec![json!({ "requestId": request_id(), "year": 2090 })]],
        "RuleService/ListHolidays" => vec![vec![json!({ "year": 2091 })]],

        // Signals.
        "SignalService/ReportSignal" => vec![vec![json!({
            "requestId": request_id(), "householdId": it("household"), "kind": "SIGNAL_KIND_SWEEP",
            "cause": "RISK_HOUSING", "reportedOn": day(3),
        })]],
        "SignalService/SubmitWarnings" => {
            let submit = |region: &str| {
                let reference = request_id();
                let warning = json!({
                    "idNumber": it("id_number"), "cause": "RISK_ACCIDENT", "occurredOn": day(5),
                    "reference": reference, "regionCode": region,
                });
                vec![
                    json!({ "options": { "requestId": request_id(), "department": "DEPARTMENT_MEDICAL_INSURANCE" } }),
                    json!({ "rows": { "rows": [warning] } }),
                ]
            };
            vec![submit(""), submit(village)]
        }
        "SignalService/DecideSignal" => vec![vec![json!({
            "requestId": request_id(), "signalId": it("signal"), "verified": true, "reason": "属实", "decidedOn": day(1),
        })]],
        "SignalService/GetSignal" => vec![vec![json!({ "signalId": it("signal") })]],
        "SignalService/ListSignals" => {
            vec![vec![json!({ "regionCode": village })], vec![json!({ "householdId": it("household") })]]
        }
        "SignalService/GetFunnel" => ["village", "county"]
            .map(|level| vec![json!({ "regionCode": it(level), "from": day(30), "until": day(0) })])
            .into(),

        // Cases.
        "CaseService/OpenCase" => vec![
            vec![json!({ "requestId": request_id(), "case": case(it("household_2"), None) })],
            vec![json!({ "requestId": request_id(), "case": case(mine("household_2"), Some(it("signal"))) })],
        ],
        "CaseService/RecordStep" => vec![vec![json!({ "requestId": request_id(), "step": step(it("case")) })]],
        "CaseService/ProposeRemoval" => vec![vec![json!({ "requestId": request_id(), "removal": {
            "caseId": it("case"), "kind": "REMOVAL_KIND_ASSISTED", "proposedOn": day(0),
        }})]],
        "CaseService/RollBackRemoval" => vec![vec![json!({
            "requestId": request_id(), "caseId": it("case"), "reason": "复核", "occurredOn": day(0),
        })]],
        "CaseService/PlanMeasure" => {
            let plan = measure_plan(&request_id(), it("case"));
            vec![vec![json!({ "requestId": request_id(), "measure": plan })]]
        }
        "CaseService/FinishMeasure" => {
            vec![vec![json!({ "requestId": request_id(), "result": measure_result(it("measure")) })]]
        }
        "CaseService/BatchCaseCommands" => vec![vec![
            json!({ "options": { "requestId": request_id() } }),
            json!({ "rows": { "rows": [
                { "openCase": case(it("household_2"), None) },
                { "recordStep": step(it("case")) },
                { "proposeRemoval": { "caseId": it("case"), "kind": "REMOVAL_KIND_NATURAL", "proposedOn": day(0) } },
                { "planMeasure": measure_plan(&request_id(), it("case")) },
                { "finishMeasure": measure_result(it("measure")) },
            ] } }),
        ]],
        "CaseService/GetCase" => vec![vec![json!({ "caseId": it("case") })]],
        "CaseService/ListCases" => {
            vec![vec![json!({ "regionCode": village })], vec![json!({ "householdId": it("household") })]]
        }
        "CaseService/ListOverdueSteps" => {
            ["village", "around"].map(|level| vec![json!({ "regionCode": it(level) })]).into()
        }
        "CaseService/RenderNotice" => vec![vec![json!({ "caseId": it("case") })]],

        // Villages.
        "VillageService/RecordVillageIncome" => vec![vec![json!({
            "requestId": request_id(), "regionCode": village, "year": it("year").parse::<i32>().unwrap(),
            "amounts": [{ "kind": "INCOME_KIND_OPERATING", "amountFen": "100" }],
        })]],
        "VillageService/GetVillageIncome" => vec![vec![json!({ "regionCode": village })]],
        "VillageService/ListQualityRules" => vec![vec![json!({})]],
        "VillageService/CheckHouseholds" => {
            ["village", "county"].map(|level| vec![json!({ "regionCode": it(level) })]).into()
        }
        "VillageService/ListDefects" => {
            ["village", "around"].map(|level| vec![json!({ "regionCode": it(level) })]).into()
        }
        "VillageService/ListDefectiveHouseholds" => {
            ["village", "around"].map(|level| vec![json!({ "regionCode": it(level), "ruleNumber": 114 })]).into()
        }
        _ => return None,
    })
}

/// A day so many days ago.
pub fn day(ago: u64) -> Value {
    date(Clock::system().today() - Days::new(ago))
}

pub fn date(day: NaiveDate) -> Value {
    let date = tongxin_proto::Date::from(day);
    json!({ "year": date.year, "month": date.month, "day": date.day })
}

/// An import of some rows.
fn import(dry_run: bool, rows: &[Value]) -> Call {
    let options = json!({ "importId": request_id(), "dryRun": dry_run });
    vec![json!({ "options": options }), json!({ "rows": { "firstRow": 1, "rows": rows } })]
}

pub fn organisation(name: &str, village: &str) -> Value {
    json!({
        "name": name, "kind": "ORGANISATION_KIND_PARTY_ORGANISATION", "side": "ORGANISATION_SIDE_RECIPIENT",
        "hostKind": "ORGANISATION_KIND_VILLAGE_COLLECTIVE", "regionCode": village,
    })
}

pub fn pairing(supporter: &str, recipient: &str) -> Value {
    json!({ "kind": "PAIRING_KIND_PARTY", "supporterId": supporter, "recipientId": recipient, "startsOn": day(90) })
}

/// One of the people of a place, who are made up by its number.
pub fn person(of: &Things, number: usize, relation: &str) -> Value {
    let order: usize = of.get("order").parse().unwrap();
    json!({
        "name": "甲一", "idNumber": id_number(order, order * 100 + number), "relation": relation,
        "health": ["HEALTH_HEALTHY"], "labour": "LABOUR_ABILITY_ORDINARY", "schooling": "SCHOOLING_NOT_AT_SCHOOL",
        "insurances": ["INSURANCE_RESIDENT_MEDICAL"], "work": "WORK_FARMING",
    })
}

pub fn household(village: &str, of: &Things, number: usize) -> Value {
    json!({
        "regionCode": village, "support": "SOCIAL_SUPPORT_NONE", "registeredOn": day(60),
        "members": [person(of, number * 10, "RELATION_HEAD"), person(of, number * 10 + 1, "RELATION_OTHER")],
    })
}

/// So little income that a household is found by screening.
pub fn observation(field: &str, value: &str) -> Value {
    let month = day(40);
    let first = NaiveDate::from_ymd_opt(
        month["year"].as_i64().unwrap().try_into().unwrap(),
        month["month"].as_u64().unwrap().try_into().unwrap(),
        1,
    );
    let mut draft = json!({
        "windowEndsOn": date(first.unwrap() - Days::new(1)), "wagesFen": "100", "schoolingGuaranteed": true,
        "medicalGuaranteed": true, "housingGrade": "HOUSING_GRADE_A", "waterSafe": true,
    });
    draft[field] = value.into();
    draft
}

pub fn rule_set(region: &str) -> Value {
    let years = 2026..=Clock::system().today().year();
    let lines: Vec<_> = years.map(|year| json!({ "year": year, "lineFen": "700000" })).collect();
    let deadlines: Vec<_> = (1..=8)
        .map(|step| json!({ "step": step, "days": 2, "kind": "DAY_KIND_CALENDAR", "emergencyDays": 5 }))
        .collect();
    json!({
        "name": "试行规则", "regionCode": region, "effectiveFrom": { "year": 2026, "month": 1, "day": 1 },
        "lines": lines,
        "categories": [{ "code": "marginal", "name": "边缘易致贫户", "condition": "!lifted_from_poverty" }],
        "deadlines": deadlines, "noticeMinDays": 5,
        "removal": { "minMonths": 6, "stableMonths": 6, "condition": "water_safe" },
        "rules": [{
            "number": 1, "name": "收入", "cause": "RISK_OTHER", "expression": "per_capita_net_income < line",
            "message": "收入低于监测线",
        }],
    })
}

pub fn case(household: &str, signal: Option<&str>) -> Value {
    json!({
        "caseId": request_id(), "householdId": household, "category": "marginal", "risks": ["RISK_HOUSING"],
        "emergency": "EMERGENCY_DISASTER",
        "openedOn": day(8), "signalIds": signal.into_iter().collect::<Vec<_>>(),
    })
}

pub fn step(case: &str) -> Value {
    json!({ "caseId": case, "step": "STEP_AUTHORISATION", "occurredOn": day(7) })
}

pub fn measure_plan(measure: &str, case: &str) -> Value {
    json!({ "measureId": measure, "caseId": case, "measure": {
        "risk": "RISK_HOUSING", "family": "MEASURE_FAMILY_HOUSING", "owner": "village", "plannedOn": day(2), "dueOn": day(0),
    }})
}

fn measure_result(measure: &str) -> Value {
    json!({ "measureId": measure, "outcome": "完成", "finishedOn": day(0) })
}
