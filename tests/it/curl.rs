//! A sender who has only curl.

use serde_json::{Value, json};
use tongxin_platform::clock::Clock;
use tongxin_tests::{entries::request_id, raw};

use crate::support::{date_in_json, shared, tokens};

const WARN: &str = "/tongxin.monitoring.v1.SignalService/SubmitWarnings";

/// One post with the options and the rows, as `proto/README.md` shows it.
#[tokio::test]
async fn a_department_warns_by_one_post() {
    let gateway = &shared().await.instance.gateway;
    let tokens = tokens(&[("department", "department", "441823000000")]).await;
    let token = std::fs::read_to_string(tokens.path().join("department")).unwrap();
    let day = date_in_json(Clock::system().today());
    let options = json!({ "requestId": request_id(), "department": "DEPARTMENT_MEDICAL_INSURANCE" });
    let warning = json!({
        "idNumber": "441823198501039999", "cause": "RISK_ILLNESS", "occurredOn": day, "reference": request_id()
    });
    let rows = json!({ "rows": [warning] });
    let mut answers = Vec::new();
    for body in [json!({ "options": options, "rows": rows }), json!([{ "options": options }, { "rows": rows }])] {
        let (code, answer) = raw::post(gateway, token.trim(), WARN, body.to_string().as_bytes()).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!((code, &answer["received"]), (200, &json!("1")), "{answer}");
        answers.push(answer);
    }
    // Both are the same request.
    assert_eq!(answers[0], answers[1]);

    let wrong = json!({ "options": { "requestId": request_id(), "department": "DEPARTMENT_HEALTH" }, "rows": rows });
    let (code, error) = raw::post(gateway, token.trim(), WARN, wrong.to_string().as_bytes()).await.unwrap();
    let error: Value = serde_json::from_slice(&error).unwrap();
    assert_eq!((code, &error["details"][0]["debug"]["reason"]), (403, &json!("DEPARTMENT_MISMATCH")), "{error}");
}
