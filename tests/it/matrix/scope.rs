//! What lies in another region is answered like what does not exist, and stays as it is.

use std::os::unix::fs::PermissionsExt as _;

use futures::{StreamExt as _, stream};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use tongxin_platform::region::RegionCode;
use tongxin_tests::dynamic::Outcome;
use tonic_types::StatusExt as _;

use super::{
    entries::{Call, calls},
    things::Things,
    world::{ALL_ROLES, COUNTRY, TURN, VILLAGES, Way, World, methods, name, reconnect, world},
};
use crate::permissions::ROLES;

/// Villages of a town, the town, counties, a city, another province, and where nothing is registered.
const REGIONS: [&str; 8] = [
    VILLAGES[0],
    VILLAGES[1],
    "441823107000",
    "441823000000",
    "441825000000",
    "441800000000",
    "450000000000",
    "441899000000",
];

/// Pairs of calls on one connection.
const PER_CONNECTION: usize = 150;

/// Calls at once.
const AT_ONCE: usize = 24;

fn holds(region: &str, place: &Things) -> bool {
    let code = RegionCode::parse_of_caller(region).unwrap();
    code.contains(RegionCode::parse(place.get("village")).unwrap())
}

/// All that a caller is told, in which things stand by their names.
fn told(outcome: &Outcome, of: &Things, own: Option<&Things>, call: &[Value]) -> String {
    let status = outcome.refused.as_ref().map(|status| {
        // Which of two that are missing is named follows from the order of their identifiers.
        let one_of_two = status.get_error_details().bad_request().is_some_and(|wrong| {
            wrong.field_violations.iter().any(|violation| ["kept_id", "merged_id"].contains(&&*violation.field))
        });
        let details = if one_of_two { "of one of two".into() } else { String::from_utf8_lossy(status.details()) };
        (status.code(), status.message().to_owned(), details.into_owned())
    });
    let messages: Vec<Value> = outcome.messages.iter().map(without_times).collect();
    let mut text = format!("{messages:?} {status:?}");
    for id in call.iter().flat_map(ids) {
        text = text.replace(&id, "<sent>");
    }
    let text = of.named_in(&text, "");
    own.map_or(text.clone(), |own| own.named_in(&text, "own "))
}

/// A message without the times at which rows were refused.
fn without_times(message: &Value) -> Value {
    match message {
        Value::Object(fields) => {
            let others = fields.iter().filter(|(field, _)| *field != "refusedTime");
            others.map(|(field, value)| (field.clone(), without_times(value))).collect()
        }
        Value::Array(values) => values.iter().map(without_times).collect(),
        value => value.clone(),
    }
}

/// Identifiers in a message that are new with each call.
fn ids(message: &Value) -> Vec<String> {
    match message {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(field, value)| match value {
                Value::String(id)
                    if ["requestId", "importId", "reference", "caseId", "measureId"].contains(&&**field) =>
                {
                    vec![id.clone()]
                }
                value => ids(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(ids).collect(),
        _ => Vec::new(),
    }
}

/// What an answer shows of places that the caller does not hold, apart from what the caller wrote itself.
fn leaked(world: &World, region: &str, call: &[Value], outcome: &Outcome) -> Vec<String> {
    let text = format!("{outcome:?}");
    let sent = Value::from(call.to_vec()).to_string();
    let foreign = world.places.iter().filter(|place| !holds(region, place)).flat_map(Things::secrets);
    foreign.filter(|secret| text.contains(*secret) && !sent.contains(*secret)).cloned().collect()
}

/// A place as a caller meets it: lists of a county around both have the caller's own rows, so only the village's are compared.
fn seen_from(region: &str, place: &Things) -> Things {
    let mut place = place.clone();
    let county = RegionCode::parse(place.get("county")).unwrap();
    let around = if county.contains(RegionCode::parse(region).unwrap()) { "village" } else { "county" };
    let around = place.get(around).to_owned();
    place.set("around", around);
    place
}

/// Calls a method about the things of a place and about ones that are nowhere, and compares what is told.
async fn compare(world: &World, way: Way, caller: (&str, &str), method: &str, place: &Things) -> Vec<String> {
    let (role, region) = caller;
    let token = world.token(&[role], region);
    let own = world.places.iter().find(|place| holds(region, place));
    let place = &seen_from(region, place);
    let absent = place.absent();
    // Who holds nothing has nothing else to name.
    let about = |things| calls(method, things, own.unwrap_or(things)).unwrap_or_default();
    let mut faults = Vec::new();
    for (there, nowhere) in about(place).into_iter().zip(about(&absent)) {
        let (of_there, of_nowhere) = (
            world.call(way, Some(&token), method, &there).await,
            world.call(way, Some(&token), method, &nowhere).await,
        );
        let texts = [told(&of_there, place, own, &there), told(&of_nowhere, &absent, own, &nowhere)];
        let at = format!("{way:?} {role}@{region} {method} of {}", place.get("village"));
        if !everywhere(method) {
            if texts[0] != texts[1] {
                faults.push(format!("{at}: {there:?}\n  there:   {}\n  nowhere: {}", texts[0], texts[1]));
            }
            for secret in leaked(world, region, &there, &of_there) {
                faults.push(format!("{at}: shows {secret}"));
            }
        }
    }
    faults
}

/// Logs hold every region's events, which the contract says and the permission guards.
fn everywhere(method: &str) -> bool {
    method.starts_with("LogService/")
}

/// What stands outside a region in the tables of the services, row by row; what the relay adds to events is not of it.
async fn outside(world: &World, region: &str) -> Vec<(String, i64, String)> {
    let inside = RegionCode::parse(region).unwrap().range();
    let mut kept = Vec::new();
    for service in ["pairing", "monitoring"] {
        let mut conn = PgConnection::connect(&world.instance.databases[service]).await.unwrap();
        let with_region = "SELECT table_name::text FROM information_schema.columns
            WHERE table_schema = 'public' AND column_name = 'region_code' ORDER BY 1";
        let tables: Vec<String> = sqlx::query_scalar(with_region).fetch_all(&mut conn).await.unwrap();
        let mut tx = conn.begin().await.unwrap();
        let everywhere = "SELECT set_config('tongxin.region_from', '0', true),
            set_config('tongxin.region_until', '1000000000000', true)";
        sqlx::query(everywhere).execute(&mut *tx).await.unwrap();
        for table in tables {
            let rows = sqlx::AssertSqlSafe(format!(
                "SELECT count(*), md5(coalesce(string_agg(said, '' ORDER BY said), '')) FROM (
                    SELECT (to_jsonb({table}) - 'seq' - 'hash')::text FROM {table}
                    WHERE region_code < $1 OR region_code >= $2
                ) AS kept (said)"
            ));
            let (count, hash): (i64, String) =
                sqlx::query_as(rows).bind(inside.from).bind(inside.until).fetch_one(&mut *tx).await.unwrap();
            kept.push((format!("{service}.{table}"), count, hash));
        }
        let types = "SELECT coalesce(string_agg(said, ' ' ORDER BY said), '') FROM (
            SELECT event_type || ' ' || region_code || ' ' || count(*) FROM event
            WHERE region_code < $1 OR region_code >= $2 GROUP BY event_type, region_code
        ) AS kept (said)";
        let types = sqlx::query_scalar(types).bind(inside.from).bind(inside.until).fetch_one(&mut *tx).await.unwrap();
        kept.push((format!("{service}'s events"), 0, types));
        tx.rollback().await.unwrap();
    }
    kept
}

async fn refused_alike(way: Way, roles: &[&str]) {
    let world = world().await;
    let _turn = TURN.lock().await;
    let (mut compared, mut faults) = (0, Vec::new());
    for region in REGIONS {
        let before = outside(world, region).await;
        let mut work = Vec::new();
        for (turn, role) in roles.iter().copied().enumerate() {
            let foreign: Vec<&Things> = world.places.iter().filter(|place| !holds(region, place)).collect();
            for (number, method) in methods().iter().enumerate() {
                if way == Way::Directly && !world.has_door(method) {
                    continue;
                }
                // Who may most meets every place, the others one each time.
                let places = if role == "hq" && way == Way::Gateway {
                    foreign.clone()
                } else {
                    vec![foreign[(turn + number) % foreign.len()]]
                };
                for place in places {
                    let method = name(method);
                    work.push(async move { compare(world, way, (role, region), &method, place).await });
                }
            }
        }
        compared += work.len();
        let mut work = work.into_iter();
        loop {
            let part: Vec<_> = work.by_ref().take(PER_CONNECTION).collect();
            if part.is_empty() {
                break;
            }
            reconnect();
            let found: Vec<String> = stream::iter(part).buffer_unordered(AT_ONCE).concat().await;
            faults.extend(found);
        }
        let after = outside(world, region).await;
        let changed = before.iter().zip(&after).filter(|(before, after)| before != after);
        faults.extend(
            changed.map(|(before, after)| format!("{region} changed what lies elsewhere: {before:?} {after:?}")),
        );
    }
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
    assert!(compared > REGIONS.len() * roles.len() * 50, "only {compared} were compared");
}

#[tokio::test]
async fn every_rpc_has_an_entry() {
    let things = &world().await.places[0];
    let missing = |method: &String| calls(method, things, things).is_none_or(|calls| calls.is_empty());
    let missing: Vec<String> = methods().iter().map(name).filter(missing).collect();
    assert_eq!(missing, [""; 0], "write down in entries.rs how they are called");
    assert_eq!(calls("CaseService/NewMethod", things, things), None, "what nobody wrote down has no entry");
}

#[tokio::test]
async fn through_the_gateway_what_is_elsewhere_is_answered_like_what_is_nowhere_and_stays() {
    refused_alike(Way::Gateway, &ROLES).await;
}

#[tokio::test]
async fn past_the_gateway_as_well() {
    refused_alike(Way::Directly, &["hq", "department"]).await;
}

/// Whether a call only reads, so that it may be made about one's own things without changing them.
fn reads(method: &str) -> bool {
    let verb = method.split('/').nth(1).unwrap_or_default();
    ["Get", "List", "Find", "Render", "Replay", "Simulate", "Reveal"].iter().any(|start| verb.starts_with(start))
}

/// What is read of one's own shows nothing of others; without a filter, too.
#[tokio::test]
async fn no_answer_about_the_own_region_shows_a_row_of_another() {
    let world = world().await;
    let _turn = TURN.lock().await;
    let mut work = Vec::new();
    for region in REGIONS {
        let own = world.places.iter().find(|place| holds(region, place));
        for role in ROLES.iter().copied() {
            let token = world.token(&[role], region);
            for method in methods().iter().map(name).filter(|method| reads(method) && !everywhere(method)) {
                let mut asked: Vec<Call> = own.and_then(|own| calls(&method, own, own)).unwrap_or_default();
                asked.push(vec![serde_json::json!({})]);
                let token = token.clone();
                work.push(async move {
                    let mut faults = Vec::new();
                    for call in asked {
                        let outcome = world.call(Way::Gateway, Some(&token), &method, &call).await;
                        let shown = leaked(world, region, &call, &outcome);
                        faults.extend(shown.iter().map(|shown| format!("{role}@{region} {method} shows {shown}")));
                    }
                    faults
                });
            }
        }
    }
    let faults: Vec<String> = stream::iter(work).buffer_unordered(AT_ONCE).concat().await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn without_a_token_no_rpc_answers() {
    let world = world().await;
    for method in methods() {
        let call = calls(&name(&method), &world.places[0], &world.places[0]).unwrap_or_default();
        for way in [Way::Gateway, Way::Directly] {
            let outcome = world.call(way, None, &name(&method), &call[0]).await;
            assert_eq!((outcome.reason().as_str(), outcome.messages.len()), ("TOKEN_MISSING", 0), "{}", name(&method));
        }
    }
}

/// Reasons that mean that a call did not reach what it is about.
fn missed(reason: &str) -> bool {
    reason.ends_with("_NOT_FOUND")
        || ["INVALID_FIELDS", "INTERNAL", "UNAVAILABLE", "PERMISSION_MISSING"].contains(&reason)
}

/// Comparing proves nothing unless the calls are good ones: made by who holds the whole country, each reaches its things.
/// National callers so meet every service, too. Things of their own that they change are of no other test.
#[tokio::test]
async fn who_holds_the_whole_country_reaches_every_place_by_the_same_calls() {
    let world = World::start().await;
    let token = world.token(&ALL_ROLES, COUNTRY);
    let mut faults = Vec::new();
    let (reading, writing): (Vec<_>, Vec<_>) = methods().iter().map(name).partition(|method| reads(method));
    for method in reading.into_iter().chain(writing) {
        for place in &world.places {
            let about = calls(&method, place, place).unwrap_or_default();
            // The first is about one place only.
            let call = &about[0];
            let outcome = world.call(Way::Gateway, Some(&token), &method, call).await;
            let rows = Value::from(outcome.messages.clone()).to_string();
            if missed(&outcome.reason())
                || outcome.refused.as_ref().is_some_and(|_| outcome.reason().is_empty())
                || rows.contains("_NOT_FOUND")
                || rows.contains("INVALID_FIELDS")
            {
                faults.push(format!("{method} {call:?}: {:?} {rows}", outcome.refused));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The country is a region of callers. A request names regions of the register.
#[tokio::test]
async fn no_request_takes_the_code_of_the_whole_country() {
    let world = world().await;
    let _turn = TURN.lock().await;
    let token = world.token(&ALL_ROLES, COUNTRY);
    let mut asked = 0;
    for method in methods() {
        let input = method.input();
        let fields = input.fields().filter(|field| ["region_code", "code", "parent_code"].contains(&field.name()));
        for field in fields {
            let place = &world.places[0];
            let mut call = calls(&name(&method), place, place).unwrap_or_default().remove(0);
            call[0][field.json_name()] = COUNTRY.into();
            let outcome = world.call(Way::Gateway, Some(&token), &name(&method), &call).await;
            assert_eq!(outcome.reason(), "INVALID_FIELDS", "{} {}", name(&method), field.name());
            asked += 1;
        }
    }
    assert!(asked >= 15, "only {asked} fields with a region");
}

#[tokio::test]
async fn the_register_has_a_token_of_its_own_for_the_whole_country() {
    let world = world().await;
    let read = |file: &std::path::Path| std::fs::read_to_string(file).unwrap().trim().to_owned();
    let file = &world.instance.operator_token_file;
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let (operator, main) = (read(file), read(&world.instance.token_file));
    let elsewhere = [serde_json::json!({ "code": VILLAGES[3] })];
    let read = async |token: &str| world.call(Way::Gateway, Some(token), "PairingService/GetRegion", &elsewhere).await;
    assert_eq!(read(&operator).await.reason(), "");
    assert_eq!(read(&main).await.reason(), "REGION_NOT_FOUND");
    for method in ["HouseholdService/RevealHousehold", "PairingService/EstablishPairing", "CaseService/OpenCase"] {
        let call = calls(method, &world.places[0], &world.places[0]).unwrap().remove(0);
        let refused = world.call(Way::Gateway, Some(&operator), method, &call).await;
        assert_eq!(refused.reason(), "PERMISSION_MISSING", "{method}");
    }
}
