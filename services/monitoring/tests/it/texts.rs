//! Texts with characters that nobody sees: they are taken away, and people are found without them.

use futures::stream;
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus},
    monitoring::v1::{
        self, Department, FindHouseholdsRequest, HouseholdDraft, HouseholdRows, ImportHouseholdsRequest, MemberDraft,
        Relation, Risk, import_households_request::Part,
    },
};
use tonic::Code;

use crate::{
    drafts::{household, id_number, member},
    signals::decision,
    support::{COUNTY, TestApp, VILLAGE, new_request_id, told},
    warnings::{head_of, matched, warning},
};

/// Somebody who lives alone; each order is another one.
fn alone(name: &str, order: u32) -> HouseholdDraft {
    household(VILLAGE, vec![member(name, id_number("19810102", order), Relation::Head)])
}

fn with(draft: HouseholdDraft, change: impl FnOnce(&mut MemberDraft)) -> HouseholdDraft {
    let mut draft = draft;
    change(&mut draft.members[0]);
    draft
}

/// The households of people of a name.
async fn found(app: &TestApp, name: &str) -> Vec<v1::Household> {
    let request = FindHouseholdsRequest { name: name.to_owned(), ..FindHouseholdsRequest::default() };
    app.hq().households.find_households(request).await.unwrap().into_inner().households
}

#[tokio::test]
async fn people_are_found_by_what_is_seen_of_their_names() {
    let app = TestApp::start().await;
    let names = [("\u{200b}张小明", "张小明"), ("张小\u{200b}红", "张小红"), ("\u{3000}欧阳　锋\u{feff}", "欧阳　锋")];
    for (order, (entered, seen)) in (1..).zip(names) {
        let id = app.hq().register(alone(entered, order)).await.unwrap().household_id;
        for asked in [seen, entered, &format!(" {seen}\u{200e}")] {
            let [household] = &found(&app, asked).await[..] else { panic!("{asked:?} is not found once") };
            assert_eq!(household.household_id, id);
            assert!(household.members[0].masked_name.starts_with(seen.chars().next().unwrap()), "{household:?}");
        }
        assert_eq!(app.hq().reveal(&id).await.unwrap().members[0].name, seen);
    }
}

#[tokio::test]
async fn numbers_are_read_however_they_were_typed_or_pasted() {
    let app = TestApp::start().await;
    let number = |order| id_number("19810102", order);
    let typed = [
        format!("\u{200e}{}", number(1)),
        format!("{} ", number(2)),
        number(3).replacen("44", "４４", 1),
        format!("\u{202d}{}\u{202c}", number(4)),
    ];
    for (order, typed) in (1..).zip(typed) {
        let draft = HouseholdDraft {
            household_number: format!("４４1823{order}\u{a0}"),
            region_code: format!("{VILLAGE}\u{a0}"),
            bank_account: "６２1700\u{200b}001".to_owned(),
            ..with(alone("周二", order), |head| {
                head.id_number = typed.clone();
                head.phone = "\u{202d}13800000000\u{202c}".to_owned();
            })
        };
        let registered = app.hq().register(draft).await.unwrap();
        assert_eq!((registered.household_number, registered.region_code.as_str()), (format!("441823{order}"), VILLAGE));
        assert_eq!(app.hq().by_id_number(&number(order)).await, [registered.household_id.as_str()]);
        assert_eq!(app.hq().by_id_number(&typed).await, [registered.household_id.as_str()]);
        let revealed = app.hq().reveal(&registered.household_id).await.unwrap();
        let head = &revealed.members[0];
        assert_eq!((&head.id_number, head.phone.as_str()), (&number(order), "13800000000"));
        assert_eq!(revealed.bank_account, "621700001");
    }
}

#[tokio::test]
async fn a_name_is_something_that_can_be_read_aloud() {
    let app = TestApp::start().await;
    for (name, says) in [
        ("\u{200b}", "needs at least 1 characters"),
        (" \u{3000} ", "needs at least 1 characters"),
        ("\u{3164}", "needs at least 1 characters"),
        ("张\n三", "holds the line break U+000A"),
        ("张\u{2028}三", "holds the line break U+2028"),
        ("张\t三", "holds the tab U+0009"),
        ("张\0三", "holds the control character U+0000"),
        ("张\u{7}三\u{1b}[31m", "holds the control character U+0007"),
    ] {
        let refused = app.hq().register(alone(name, 1)).await.unwrap_err();
        let field = "household.members[0].name";
        assert_eq!(told(&refused), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec![field.to_owned()]));
        assert_eq!(refused.message(), format!("{field} {says}"));
    }
    assert_eq!((app.count("household").await, app.count("event").await), (0, 0));
}

#[tokio::test]
async fn a_reason_says_something_and_may_take_several_lines() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let signal = app.hq().sweep(&household, Risk::Illness, "2025-06-20").await.signal_id;
    let decide =
        |reason: &str| v1::DecideSignalRequest { reason: reason.to_owned(), ..decision(&signal, true, "2025-06-21") };
    for nothing in ["\u{200b}", " \u{3000}\n"] {
        let refused = app.hq().decide(decide(nothing)).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec!["reason".to_owned()]));
    }
    let decided = app.hq().decide(decide("\u{feff}入户核实：\n\t住院三周\n")).await.unwrap();
    assert_eq!(decided.reason, "入户核实：\n\t住院三周");
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_known_by_what_is_seen_of_it() {
    let app = TestApp::start().await;
    let request = |name: &str, request_id: &str| v1::RegisterHouseholdRequest {
        request_id: request_id.to_owned(),
        household: Some(alone(name, 1)),
    };
    let id = new_request_id();
    let mut hq = app.hq();
    let mut register = async |request| hq.households.register_household(request).await.map(tonic::Response::into_inner);
    let first = register(request("\u{200b}张小明", &id)).await.unwrap();
    assert_eq!(register(request("\u{200b}张小明", &id)).await.unwrap(), first);
    assert_eq!(register(request("张小明", &format!("{id} "))).await.unwrap(), first);
    assert_eq!(told(&register(request("张小红", &id)).await.unwrap_err()).1, "REQUEST_ID_REUSED");
    assert_eq!(app.count("household").await, 1);
}

/// Sends rows as an import of their own.
async fn import(app: &TestApp, rows: Vec<HouseholdDraft>) -> ImportStatus {
    let options = ImportOptions { import_id: format!("\u{feff}{}", new_request_id()), dry_run: false };
    let parts = [Part::Options(options), Part::Rows(HouseholdRows { first_row: 1, rows })];
    let messages = parts.map(|part| ImportHouseholdsRequest { part: Some(part) });
    let mut answers = app.hq().households.import_households(stream::iter(messages)).await.unwrap().into_inner();
    answers.message().await.unwrap().unwrap().status.unwrap()
}

#[tokio::test]
async fn rows_of_an_import_are_tidied_and_refused_by_themselves() {
    let app = TestApp::start().await;
    let lrm = with(alone("吴己", 3), |head| head.id_number = format!("\u{200e}{}", id_number("19810102", 3)));
    let lro = with(alone("吴丁", 4), |head| head.phone = "\u{202d}13800000000\u{202c}".to_owned());
    let rows = vec![alone("\u{200b}吴丙", 1), alone("吴\u{7}乙", 2), lrm, lro, alone("\u{200b}", 5)];
    let status = import(&app, rows).await;
    let refused: Vec<_> =
        status.errors.iter().map(|error| (error.row, error.reason.as_str(), error.message.as_str())).collect();
    let expected = [
        (2, "INVALID_FIELDS", "members[0].name holds the control character U+0007"),
        (5, "INVALID_FIELDS", "members[0].name needs at least 1 characters"),
    ];
    assert_eq!((status.accepted, refused), (3, expected.to_vec()));
    for name in ["吴丙", "吴己", "吴丁"] {
        assert_eq!(found(&app, name).await.len(), 1, "{name}");
    }
    assert_eq!(app.hq().by_id_number(&id_number("19810102", 3)).await.len(), 1);
}

#[tokio::test]
async fn a_warning_finds_its_person_whatever_stands_around_the_number() {
    let app = TestApp::start().await;
    app.registered(VILLAGE, 0).await;
    let number = format!("\u{200e}{}\u{a0}", head_of(0).replacen("44", "４４", 1));
    let rows = vec![warning(number, "Ａ-1\u{200b}", "2025-06-10"), warning(head_of(0), "A\u{7}-2", "2025-06-10")];
    let answer = app.department(Department::Health, COUNTY).warn(rows).await;
    assert_eq!((answer.received, answer.malformed), (1, 1));
    assert_eq!(answer.errors[0].message, "reference holds the control character U+0007");
    assert_eq!(matched(&app).await, 1);
    // It is the same record.
    let again = app.department(Department::Health, COUNTY).warn(vec![warning(head_of(0), "A-1", "2025-06-10")]).await;
    assert_eq!((again.received, app.count("warning").await), (1, 1));
}
