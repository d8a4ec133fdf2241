//! One running program with the same things in four villages: two of a town, one of another county, one of another
//! province.

use std::{cell::RefCell, collections::HashMap};

use prost_reflect::MethodDescriptor;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};
use tongxin_platform::{
    access::{LocalKey, TokenRequest},
    clock::Clock,
    region::RegionCode,
    testing::eventually,
};
use tongxin_proto::POOL;
use tongxin_tests::{
    Instance, Program,
    dynamic::{self, Outcome},
    entries::request_id,
};
use tonic::transport::{Channel, Endpoint};

use super::{
    entries::{self, case, day, household, measure_plan, observation, organisation, pairing, rule_set},
    things::Things,
};
use crate::support::data_folder;

pub const COUNTRY: &str = "000000000000";

/// Who may do everything, everywhere.
pub const ALL_ROLES: [&str; 4] = ["hq", "operator", "department", "auditor"];

/// Their villages; the first two lie in one town.
pub const VILLAGES: [&str; 4] = ["441823107201", "441823107202", "441825104200", "450305001201"];

/// How a caller comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Gateway,
    Directly,
}

pub struct World {
    pub instance: Instance,
    pub places: Vec<Things>,
    folder: TempDir,
    _program: Program,
}

/// Callers may write in their own region: what stands elsewhere is compared while nobody else calls.
pub static TURN: Mutex<()> = Mutex::const_new(());

static WORLD: OnceCell<World> = OnceCell::const_new();

pub async fn world() -> &'static World {
    WORLD.get_or_init(World::start).await
}

/// Every method of every service of ours.
pub fn methods() -> Vec<MethodDescriptor> {
    let ours = POOL.services().filter(|service| service.full_name().starts_with("tongxin."));
    ours.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

thread_local! {
    /// Connections of the test that runs on this thread: they end with the test.
    static CHANNELS: RefCell<HashMap<String, Channel>> = RefCell::default();
}

/// Lets the next calls of this test be made on new connections: of one, HTTP/2 takes about a thousand streams that
/// are refused before they were sent to their end.
pub fn reconnect() {
    CHANNELS.with_borrow_mut(HashMap::clear);
}

fn channel(address: String) -> Channel {
    let connect = |address: String| Endpoint::from_shared(address).unwrap().connect_lazy();
    CHANNELS.with_borrow_mut(|channels| channels.entry(address.clone()).or_insert_with(|| connect(address)).clone())
}

/// Such as `CaseService/GetCase`.
pub fn name(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().name(), method.name())
}

impl World {
    pub async fn start() -> Self {
        let folder = data_folder();
        let mut program = Program::start(folder.path(), &[]).unwrap();
        let instance = program.instance().await.unwrap();
        let mut world = Self { instance, places: Vec::new(), folder, _program: program };
        world.register().await;
        for order in 0..VILLAGES.len() {
            world.places.push(world.settle(order).await);
        }
        // Figures of the register and of all this have to be there before anybody asks for them.
        let token = world.token(&ALL_ROLES, COUNTRY);
        for place in &world.places {
            let ask = [json!({ "regionCode": place.get("village") })];
            eventually("the scorecard knows the village", || async {
                let card = world.call(Way::Gateway, Some(&token), "GatewayService/GetScorecard", &ask).await;
                let figures = card.messages.first().map(|card| card["scorecard"]["figures"].clone());
                let figures = figures.unwrap_or_default();
                let of = |figure: &Value| figure["indicatorId"] == "households_registered" && figure["value"] != "0";
                figures.as_array().is_some_and(|figures| figures.iter().any(of))
            })
            .await;
        }
        world
    }

    /// A token of roles in a region.
    pub fn token(&self, roles: &[&str], region: &str) -> String {
        let request = TokenRequest {
            subject: format!("{}@{region}", roles.join("+")),
            roles: roles.iter().map(ToString::to_string).collect(),
            region: RegionCode::parse_of_caller(region).unwrap(),
            department: Some("medical_insurance".to_owned()),
            lifetime: std::time::Duration::from_mins(10),
        };
        LocalKey::in_folder(self.folder.path()).unwrap().sign(&request, &Clock::system()).unwrap()
    }

    /// Whether a service is behind the gateway, and so has a door of its own.
    pub fn has_door(&self, method: &MethodDescriptor) -> bool {
        self.address(Way::Directly, method) != self.instance.gateway
    }

    fn address(&self, way: Way, method: &MethodDescriptor) -> String {
        let package = method.parent_service().package_name().to_owned();
        let service = package.trim_start_matches("tongxin.").split('.').next().unwrap_or_default().to_owned();
        // Each service has a log; behind the gateway there is none.
        let service = if service == "log" { "pairing".to_owned() } else { service };
        let own = self.instance.services.get(&service).map(|service| service.grpc.clone());
        match way {
            Way::Gateway if !package.starts_with("tongxin.log") => self.instance.gateway.clone(),
            _ => own.unwrap_or_else(|| self.instance.gateway.clone()),
        }
    }

    pub async fn call(&self, way: Way, token: Option<&str>, method: &str, messages: &[Value]) -> Outcome {
        let method = methods().into_iter().find(|found| name(found) == method).unwrap();
        dynamic::call(channel(self.address(way, &method)), token, &method, messages).await.unwrap()
    }

    /// What a method answers to somebody who may do everything.
    async fn make(&self, method: &str, messages: &[Value]) -> Value {
        let outcome = self.call(Way::Gateway, Some(&self.token(&ALL_ROLES, COUNTRY)), method, messages).await;
        assert!(outcome.refused.is_none(), "{method} {messages:?}: {:?}", outcome.refused);
        outcome.messages.last().cloned().unwrap_or_default()
    }

    async fn register(&self) {
        let row = |code: &str, level: &str, parent: &str| {
            let assisted = level == "VILLAGE";
            json!({
                "code": code, "name": format!("地{code}"), "level": format!("REGION_LEVEL_{level}"),
                "parentCode": parent, "assisted": assisted,
            })
        };
        let mut rows = vec![row("440000000000", "PROVINCE", ""), row("440100000000", "CITY", "440000000000")];
        for village in VILLAGES {
            let line = [(2, "PROVINCE"), (4, "CITY"), (6, "COUNTY"), (9, "TOWN"), (12, "VILLAGE")];
            let mut parent = String::new();
            for (digits, level) in line {
                let code = format!("{:0<12}", &village[..digits]);
                if !rows.iter().any(|row| row["code"] == code.as_str()) {
                    rows.push(row(&code, level, &parent));
                }
                parent = code;
            }
        }
        let first = json!({ "year": 2026, "month": 1, "day": 1 });
        let edition = json!({ "edition": { "requestId": request_id(), "effectiveFrom": first } });
        self.make("PairingService/ImportRegions", &[edition, json!({ "rows": { "rows": rows } })]).await;
    }

    /// Makes the things of a village.
    async fn settle(&self, order: usize) -> Things {
        let village = VILLAGES[order];
        let mut of = Things::default();
        of.set("village", village);
        of.set("town", format!("{}000", &village[..9]));
        of.set("county", format!("{}000000", &village[..6]));
        of.set("around", of.get("county").to_owned());
        of.set("order", (order + 1).to_string());
        of.set("year", "2025");
        let id =
            |answer: &Value, path: &str| answer.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let one = |key: &str, value: Value| [json!({ "requestId": request_id(), key: value })];

        let mut supporter = organisation("某单位党支部", "440100000000");
        supporter["side"] = "ORGANISATION_SIDE_SUPPORTER".into();
        supporter["hostKind"] = "ORGANISATION_KIND_GOVERNMENT".into();
        for (thing, draft) in [("supporter", supporter), ("recipient", organisation("村党支部", village))] {
            let made = self.make("PairingService/RegisterOrganisation", &one("organisation", draft)).await;
            of.set(thing, id(&made, "/organisation/organisationId"));
        }
        let paired = pairing(of.get("supporter"), of.get("recipient"));
        let made = self.make("PairingService/EstablishPairing", &one("pairing", paired)).await;
        of.set("pairing", id(&made, "/pairing/pairingId"));
        let held = json!({ "pairingId": of.get("pairing"), "kind": "ACTIVITY_KIND_VISIT", "heldOn": day(8), "participants": 2 });
        let made = self.make("PairingService/RecordJointActivity", &one("activity", held)).await;
        of.set("activity", id(&made, "/activity/activityId"));

        // Monitoring learns of the village from pairing's log.
        let (token, first) = (self.token(&ALL_ROLES, COUNTRY), household(village, &of, 0));
        let ask = one("household", first);
        eventually("monitoring knows the village", || async {
            let made = self.call(Way::Gateway, Some(&token), "HouseholdService/RegisterHousehold", &ask).await;
            made.refused.is_none()
        })
        .await;
        let made = self.make("HouseholdService/RegisterHousehold", &ask).await;
        of.set("household", id(&made, "/household/householdId"));
        of.set("member", id(&made, "/household/members/0/memberId"));
        of.set("id_number", id(&entries::person(&of, 0, "RELATION_HEAD"), "/idNumber"));
        of.set("number", format!("7000000{order}"));
        for (thing, number) in [("household_2", 1), ("household_3", 2), ("household_4", 5)] {
            let draft = household(village, &of, number);
            let made = self.make("HouseholdService/RegisterHousehold", &one("household", draft)).await;
            of.set(thing, id(&made, "/household/householdId"));
        }
        let numbered = json!({
            "requestId": request_id(), "householdId": of.get("household"), "householdNumber": of.get("number"),
            "support": "SOCIAL_SUPPORT_NONE",
        });
        self.make("HouseholdService/ChangeHousehold", &[numbered]).await;
        let merge =
            json!({ "requestId": request_id(), "keptId": of.get("household_3"), "mergedId": of.get("household_4") });
        let made = self.make("HouseholdService/MergeHouseholds", &[merge]).await;
        of.set("merge", id(&made, "/merge/mergeId"));
        let import = request_id();
        let options = json!({ "options": { "importId": import } });
        let rows = json!({ "rows": { "firstRow": 1, "rows": [household(village, &of, 6)] } });
        self.make("HouseholdService/ImportHouseholds", &[options.clone(), rows]).await;
        let rows = json!({ "rows": { "firstRow": 1, "rows": [organisation("村小学党支部", village)] } });
        self.make("PairingService/ImportOrganisations", &[options, rows]).await;
        of.set("import", import);

        let made = self.make("RuleService/StoreRuleSet", &one("ruleSet", rule_set(village))).await;
        of.set("rule_set", id(&made, "/ruleSet/ruleSetId"));
        let observed = observation("householdId", of.get("household"));
        self.make("ObservationService/RecordObservation", &one("observation", observed)).await;
        self.make("RuleService/ScreenHouseholds", &[json!({ "requestId": request_id(), "regionCode": village })]).await;
        let about = [json!({ "householdId": of.get("household") })];
        let verdicts = self.make("RuleService/ListVerdicts", &about).await;
        of.set("verdict", id(&verdicts, "/verdicts/0/verdictId"));
        let reported = json!({
            "requestId": request_id(), "householdId": of.get("household"), "kind": "SIGNAL_KIND_SWEEP",
            "cause": "RISK_WATER", "reportedOn": day(9),
        });
        self.make("SignalService/ReportSignal", &[reported]).await;
        let found = self.make("SignalService/ListSignals", &about).await;
        let reported = found["signals"].as_array().and_then(|signals| {
            signals.iter().find(|signal| signal["cause"] == "RISK_WATER").map(|signal| id(signal, "/signalId"))
        });
        of.set("signal", reported.expect("the signal was raised"));
        let opened = case(of.get("household"), None);
        of.set("case", id(&opened, "/caseId"));
        self.make("CaseService/OpenCase", &one("case", opened)).await;
        of.set("measure", request_id());
        let planned = measure_plan(of.get("measure"), of.get("case"));
        self.make("CaseService/PlanMeasure", &one("measure", planned)).await;
        let income = json!({
            "requestId": request_id(), "regionCode": village, "year": 2025,
            "amounts": [{ "kind": "INCOME_KIND_OPERATING", "amountFen": "50" }],
        });
        self.make("VillageService/RecordVillageIncome", &[income]).await;
        of
    }
}
