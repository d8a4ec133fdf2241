//! Texts that are kept in plain say of nobody who it is, whichever of them it is.

use prost_reflect::{FieldDescriptor, Value};
use tongxin_platform::testing::contract::{self, TextField};
use tonic::Code;
use uuid::Uuid;

use crate::support::{PROVINCE, TestApp};

/// A phone, an ID number and an account, in more forms than one.
const TELLING: [&str; 5] =
    ["13977665544", "电话 139-7766 5544", "110105 19491231 002X", "11010519491231002X", "6217 9977 7700 0055 444"];

/// What fits into fields that have a form of their own.
fn fill(field: &FieldDescriptor) -> Option<Value> {
    let text = match field.name() {
        "request_id" | "import_id" | "organisation_id" | "pairing_id" | "activity_id" | "supporter_id"
        | "recipient_id" => Uuid::new_v4().to_string(),
        "region_code" => "441823107201".to_owned(),
        "name" => "清远市某局".to_owned(),
        "reason" => "撤并".to_owned(),
        _ => return None,
    };
    Some(Value::String(text))
}

#[tokio::test]
async fn every_text_that_is_kept_in_plain_refuses_numbers_of_people_and_takes_those_of_documents() {
    let app = TestApp::start().await;
    let channel = app.channel();
    let mut seen = Vec::new();
    for method in contract::methods("tongxin.pairing.v1") {
        let role = if method.name() == "ImportRegions" { "operator" } else { "hq" };
        let token = app.world.token(role, PROVINCE);
        for field in TextField::all(&method.input()).into_iter().filter(|field| field.has("plain_text")) {
            seen.push(field.name());
            for telling in TELLING {
                let request = contract::request(&method, &fill, (&field, telling));
                let told = told(contract::call(&channel, &token, &method, &request).await, &field);
                assert!(told, "{} takes {telling} in {}", method.name(), field.name());
            }
            let request = contract::request(&method, &fill, (&field, "粤府〔2025〕12号 2025-06-30"));
            let told = told(contract::call(&channel, &token, &method, &request).await, &field);
            assert!(!told, "{} refuses a document in {}", method.name(), field.name());
        }
    }
    seen.sort();
    seen.dedup();
    let expected = [
        "CloseOrganisationRequest.reason",
        "EndPairingRequest.reason",
        "JointActivityDraft.remark",
        "PairingDraft.agreement_number",
        "RegionEdition.source",
        "VoidJointActivityRequest.reason",
        "VoidPairingRequest.reason",
    ];
    assert_eq!(seen, expected);

    let tables = "SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&app.owner).await.unwrap();
    for table in tables {
        let rows = format!("SELECT row::text FROM {table} AS row");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_all(&app.owner).await.unwrap();
        for row in rows {
            assert!(!["7766", "1949", "7700"].iter().any(|digits| row.contains(digits)), "{table} {row}");
        }
    }
}

/// Whether a caller was told that a field says of somebody who it is.
fn told(answer: Result<Vec<prost_reflect::DynamicMessage>, tonic::Status>, field: &TextField) -> bool {
    let (name, holds) = (field.field().name(), ["holds the number of", "holds a resident ID number"]);
    let is_told = |text: &str| holds.iter().any(|holds| text.contains(holds)) && text.contains(name);
    match answer {
        Ok(answers) => answers.iter().any(|answer| is_told(&answer.to_string())),
        Err(status) => status.code() == Code::InvalidArgument && is_told(status.message()),
    }
}
