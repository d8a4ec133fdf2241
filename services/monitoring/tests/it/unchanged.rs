//! Rows of imports that are about households that are kept: from a file that is imported again, or from an export.

use futures::stream;
use sqlx::{Postgres, Transaction};
use tongxin_platform::{
    limit::HourlyLimits,
    testing::{TestWorld, eventually},
};
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus},
    monitoring::v1::{
        self, HouseholdDraft, HouseholdRows, ImportHouseholdsRequest, ListHouseholdsRequest, MemberDraft,
        RegisterHouseholdRequest, import_households_request::Part,
    },
};
use tonic::{Code, Status};

use crate::{
    drafts::couple,
    support::{COUNTY, Clients, OTHER_VILLAGE, TOWN, TestApp, VILLAGE, date, new_request_id, now, told},
};

fn numbered(village: &str, order: u32) -> HouseholdDraft {
    let mut draft = HouseholdDraft {
        household_number: format!("4418230{order:04}"),
        address: "沙塘村12号".to_owned(),
        bank_account: "6228480402564890018".to_owned(),
        registered_on: date("2025-01-10"),
        ..couple(village, order)
    };
    "13800001234".clone_into(&mut draft.members[0].phone);
    draft
}

async fn import(caller: &mut Clients, dry_run: bool, rows: Vec<HouseholdDraft>) -> Result<ImportStatus, Status> {
    let options = Part::Options(ImportOptions { import_id: new_request_id(), dry_run });
    let parts = [options, Part::Rows(HouseholdRows { first_row: 1, rows })];
    let requests = parts.map(|part| ImportHouseholdsRequest { part: Some(part) });
    let mut answers = caller.households.import_households(stream::iter(requests)).await?.into_inner();
    Ok(answers.message().await?.unwrap().status.unwrap())
}

fn counts(status: &ImportStatus) -> (i64, i64, i64) {
    (status.accepted, status.unchanged, status.refused)
}

fn errors(status: &ImportStatus) -> Vec<(i64, &str, &str)> {
    status.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect()
}

/// A household as an export writes it: all that a list shows of it.
fn exported(household: v1::Household, with_number: bool) -> HouseholdDraft {
    let member = |member: v1::Member| MemberDraft {
        name: member.masked_name,
        id_number: member.masked_id_number,
        relation: member.relation,
        health: Vec::new(),
        labour: member.labour,
        schooling: member.schooling,
        insurances: member.insurances,
        work: member.work,
        work_months: member.work_months,
        phone: member.masked_phone,
    };
    HouseholdDraft {
        household_number: household.household_number,
        region_code: household.region_code,
        address: household.masked_address,
        bank_account: household.masked_bank_account,
        lifted_from_poverty: household.lifted_from_poverty,
        support: household.support,
        members: household.members.into_iter().filter(|member| member.left_on.is_none()).map(member).collect(),
        registered_on: household.registered_on,
        household_id: if with_number { String::new() } else { household.household_id },
    }
}

async fn list(caller: &mut Clients, page_size: i32) -> Result<Vec<v1::Household>, Status> {
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListHouseholdsRequest { page_size, page_token, with_members: true, ..Default::default() };
        let page = caller.households.list_households(request).await?.into_inner();
        listed.extend(page.households);
        if page.next_page_token.is_empty() {
            return Ok(listed);
        }
        page_token = page.next_page_token;
    }
}

/// What is kept, and how often that was changed.
async fn kept(app: &TestApp) -> Vec<(String, i64)> {
    let kept = "SELECT household_id::text, version FROM household ORDER BY household_id";
    sqlx::query_as(kept).fetch_all(&app.owner).await.unwrap()
}

/// Lets whoever comes to what a transaction has locked wait, so that several go on at once.
struct Gate<'app> {
    owner: Transaction<'static, Postgres>,
    app: &'app TestApp,
}

impl<'app> Gate<'app> {
    async fn closed(app: &'app TestApp, lock: &'static str) -> Self {
        let mut owner = app.owner.begin().await.unwrap();
        sqlx::query(lock).execute(&mut *owner).await.unwrap();
        Self { owner, app }
    }

    /// Opens once so many wait.
    async fn open_for(self, count: usize) {
        let waiting = "
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let ask = || sqlx::query_scalar::<_, i64>(waiting).fetch_one(&self.app.owner);
        eventually("all wait", || async { ask().await.unwrap() == i64::try_from(count).unwrap() }).await;
        self.owner.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_imported_again_is_accepted_and_changes_nothing() {
    let app = TestApp::start().await;
    let mut county = app.clients("county", COUNTY);
    let file = || vec![numbered(VILLAGE, 0), numbered(VILLAGE, 1), numbered(OTHER_VILLAGE, 2)];
    assert_eq!(counts(&import(&mut county, false, file()).await.unwrap()), (3, 0, 0));
    let before = (kept(&app).await, app.count("event").await);

    let mut grown = file();
    grown[0].members.reverse();
    grown[1].registered_on = None;
    grown.push(numbered(VILLAGE, 3));
    assert_eq!(counts(&import(&mut county, true, grown.clone()).await.unwrap()), (4, 3, 0));
    assert_eq!((kept(&app).await, app.count("event").await), before);
    assert_eq!(counts(&import(&mut county, false, grown).await.unwrap()), (4, 3, 0));
    let after = kept(&app).await;
    assert_eq!((after.len(), after.iter().all(|(_, version)| *version == 1)), (4, true));
    assert_eq!(counts(&import(&mut app.clients("town", TOWN), false, file()).await.unwrap()), (3, 3, 0));
    assert_eq!(app.count("hourly_use").await, 0, "what is the same counts as no look-up");
}

#[tokio::test]
async fn an_export_that_is_imported_is_accepted_and_changes_nothing() {
    let app = TestApp::start().await;
    let mut county = app.clients("county", COUNTY);
    let unnumbered = HouseholdDraft { household_number: String::new(), ..numbered(VILLAGE, 7) };
    import(&mut county, false, vec![numbered(VILLAGE, 0), unnumbered, numbered(OTHER_VILLAGE, 2)]).await.unwrap();
    let listed = list(&mut county, 2).await.unwrap();
    let before = (kept(&app).await, app.count("event").await);
    assert_eq!(
        (listed[0].masked_address.as_str(), listed[0].masked_bank_account.as_str(), listed[0].members.len()),
        ("沙塘村***", "***************0018", 2)
    );
    let rows = |with_number| listed.iter().cloned().map(|household| exported(household, with_number)).collect();
    assert_eq!(counts(&import(&mut county, true, rows(false)).await.unwrap()), (3, 3, 0));
    assert_eq!(counts(&import(&mut county, false, rows(false)).await.unwrap()), (3, 3, 0));
    // By its number one that has none is not found: it would be a new one.
    let status = import(&mut county, false, rows(true)).await.unwrap();
    assert_eq!((counts(&status), errors(&status)), ((2, 2, 1), vec![(2, "MASKED_VALUE", "members[0].name")]));
    assert_eq!((kept(&app).await, app.count("event").await), before);
}

#[tokio::test]
async fn a_page_with_members_is_smaller() {
    let app = TestApp::start().await;
    app.registered(VILLAGE, 0).await;
    let mut hq = app.hq();
    assert_eq!(list(&mut hq, 200).await.unwrap().len(), 1);
    let refused = list(&mut hq, 201).await.unwrap_err();
    assert_eq!(told(&refused), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec!["page_size".to_owned()]));
    let without = ListHouseholdsRequest { page_size: 1_000, ..Default::default() };
    let without = hq.households.list_households(without).await.unwrap().into_inner().households;
    assert_eq!((without[0].members.len(), without[0].masked_address.as_str()), (0, ""));
}

#[tokio::test]
async fn a_row_that_differs_is_refused_and_names_the_fields() {
    let app = TestApp::start().await;
    let mut county = app.clients("county", COUNTY);
    import(&mut county, false, vec![numbered(VILLAGE, 0), numbered(VILLAGE, 1), numbered(VILLAGE, 2)]).await.unwrap();
    let listed = list(&mut county, 0).await.unwrap();
    let before = (kept(&app).await, app.count("event").await);

    let mut moved = numbered(OTHER_VILLAGE, 0);
    moved.members[1].phone = "13800005678".to_owned();
    let mut masked = exported(listed[1].clone(), true);
    masked.members[1].name = "王**子".to_owned();
    let absent = HouseholdDraft { household_id: new_request_id(), ..numbered(VILLAGE, 1) };
    // The third one by two names, which are no key in common.
    let by_id = HouseholdDraft { household_id: listed[2].household_id.clone(), ..numbered(VILLAGE, 2) };
    let rows = || vec![moved.clone(), masked.clone(), absent.clone(), numbered(VILLAGE, 2), by_id.clone()];
    let expected = [
        (1, "HOUSEHOLD_DIFFERS", "region_code"),
        (2, "MASKED_VALUE", "members[1].name"),
        (3, "HOUSEHOLD_NOT_FOUND", "household_id"),
        (5, "ROW_TWICE", ""),
    ];
    for dry_run in [true, false] {
        let status = import(&mut county, dry_run, rows()).await.unwrap();
        assert_eq!((counts(&status), errors(&status)), ((1, 1, 4), expected.to_vec()));
        assert_eq!(
            status.errors[0].message,
            "the household is kept already, and differs in: region_code, members[1].phone"
        );
    }
    assert_eq!((kept(&app).await, app.count("event").await), before);
}

/// A guess at what is masked is answered by the fields that differ.
#[tokio::test]
async fn each_row_that_differs_counts_as_a_look_up_also_in_a_dry_run() {
    let limits = HourlyLimits { look_ups_per_hour: 4, reveals_per_hour: 0 };
    let app = TestApp::start_in(TestWorld::with_limits(now(), [("county".to_owned(), limits)].into()).await).await;
    let mut county = app.clients("county", COUNTY);
    import(&mut county, false, vec![numbered(VILLAGE, 0), numbered(VILLAGE, 1)]).await.unwrap();
    let guess = |order: u32| {
        let mut guess = numbered(VILLAGE, order);
        guess.members[0].id_number = guess.members[1].id_number.clone();
        guess
    };
    let dry = import(&mut county, true, vec![guess(0), guess(1)]).await.unwrap();
    assert_eq!(counts(&dry), (0, 0, 2));
    import(&mut county, false, vec![guess(0), numbered(VILLAGE, 1)]).await.unwrap();
    import(&mut county, true, vec![guess(0)]).await.unwrap();
    for (dry_run, row) in [(true, guess(0)), (false, guess(1)), (false, numbered(VILLAGE, 1))] {
        let status = import(&mut county, dry_run, vec![row]).await.unwrap();
        assert_eq!(errors(&status), [(1, "LOOK_UP_LIMIT", "")]);
    }
    // A dry run that is about nobody whom the caller sees asks for nothing.
    assert_eq!(counts(&import(&mut county, true, vec![numbered(VILLAGE, 5)]).await.unwrap()), (1, 0, 0));
}

/// A clerk's file that was mended in a few rows is not held up whole.
#[tokio::test]
async fn rows_past_the_limit_of_look_ups_are_refused_and_the_others_taken() {
    let limits = HourlyLimits { look_ups_per_hour: 2, reveals_per_hour: 0 };
    let app = TestApp::start_in(TestWorld::with_limits(now(), [("county".to_owned(), limits)].into()).await).await;
    let mut county = app.clients("county", COUNTY);
    import(&mut county, false, (0..4).map(|order| numbered(VILLAGE, order)).collect()).await.unwrap();
    let moved = |order| HouseholdDraft { address: "石马村7号".to_owned(), ..numbered(VILLAGE, order) };
    let rows = vec![moved(0), numbered(VILLAGE, 1), moved(2), moved(3), numbered(VILLAGE, 4)];
    let status = import(&mut county, false, rows).await.unwrap();
    let differs = |row| (row, "HOUSEHOLD_DIFFERS", "address");
    assert_eq!(errors(&status), [differs(1), differs(3), (4, "LOOK_UP_LIMIT", "")]);
    assert_eq!(counts(&status), (2, 1, 3));
}

/// Streams that one subject opens at once share what is left.
#[tokio::test]
async fn guesses_at_once_are_no_more_than_one_after_the_other() {
    let limits = HourlyLimits { look_ups_per_hour: 10, reveals_per_hour: 0 };
    let app = TestApp::start_in(TestWorld::with_limits(now(), [("county".to_owned(), limits)].into()).await).await;
    let mut county = app.clients("county", COUNTY);
    import(&mut county, false, (0..6).map(|order| numbered(VILLAGE, order)).collect()).await.unwrap();
    let guesses = |of: usize| {
        let guess = move |order| HouseholdDraft { address: format!("石马村{of}号"), ..numbered(VILLAGE, order) };
        (0..6).map(guess).collect::<Vec<_>>()
    };
    let gate = Gate::closed(&app, "LOCK TABLE household IN ACCESS EXCLUSIVE MODE").await;
    let asking = (0..4).map(|of| {
        let (mut county, rows) = (app.clients("county", COUNTY), guesses(of));
        tokio::spawn(async move { import(&mut county, of % 2 == 0, rows).await.unwrap() })
    });
    let asking: Vec<_> = asking.collect();
    gate.open_for(asking.len()).await;
    let mut told = 0;
    for status in asking {
        let errors = status.await.unwrap().errors;
        told += errors.iter().filter(|error| error.reason == "HOUSEHOLD_DIFFERS").count();
    }
    assert_eq!(told, 10);
}

/// The same households in other orders, several to a message.
#[tokio::test]
async fn imports_of_the_same_households_at_once_wait_for_each_other() {
    let app = TestApp::start().await;
    app.hq().register(numbered(VILLAGE, 9)).await.unwrap();
    // Somebody is about to take the number of one in the middle.
    let gate = Gate::closed(&app, "UPDATE household SET household_number = '44182300004'").await;
    let sending = [false, true].map(|is_reversed| {
        let mut rows: Vec<_> = (0..9).map(|order| numbered(VILLAGE, order)).collect();
        if is_reversed {
            rows.reverse();
        }
        let mut county = app.clients("county", COUNTY);
        tokio::spawn(async move { import(&mut county, false, rows).await })
    });
    gate.open_for(sending.len()).await;
    for status in sending {
        let status = status.await.unwrap().unwrap();
        assert_eq!((status.accepted, status.refused), (9, 0));
    }
    assert_eq!(kept(&app).await.len(), 10);
}

/// Two clerks, or one with two windows.
#[tokio::test]
async fn a_file_that_is_imported_twice_at_once_is_new_once() {
    let app = TestApp::start().await;
    let gate = Gate::closed(&app, "LOCK TABLE household IN SHARE MODE").await;
    let both = [0, 1].map(|_| {
        let mut county = app.clients("county", COUNTY);
        let file = vec![numbered(VILLAGE, 0), numbered(VILLAGE, 1)];
        tokio::spawn(async move { import(&mut county, false, file).await.unwrap() })
    });
    gate.open_for(both.len()).await;
    let mut counted = Vec::new();
    for import in both {
        counted.push(counts(&import.await.unwrap()));
    }
    counted.sort_unstable();
    assert_eq!(counted, [(2, 0, 0), (2, 2, 0)]);
    assert_eq!(kept(&app).await.len(), 2);
}

#[tokio::test]
async fn a_household_that_the_caller_does_not_see_is_not_compared() {
    let app = TestApp::start().await;
    app.hq().register(numbered(VILLAGE, 0)).await.unwrap();
    let id = list(&mut app.hq(), 0).await.unwrap()[0].household_id.clone();
    let mut elsewhere = app.clients("town", OTHER_VILLAGE);
    let row = HouseholdDraft { region_code: OTHER_VILLAGE.to_owned(), ..numbered(VILLAGE, 0) };
    let named = HouseholdDraft { household_id: id, household_number: String::new(), ..row.clone() };
    let status = import(&mut elsewhere, false, vec![row.clone(), named.clone()]).await.unwrap();
    let expected =
        [(1, "HOUSEHOLD_NUMBER_TAKEN", "household_number"), (2, "HOUSEHOLD_NOT_FOUND", "household_id")].to_vec();
    assert_eq!(errors(&status), expected);
    let used: i64 = sqlx::query_scalar("SELECT sum(used)::bigint FROM hourly_use").fetch_one(&app.owner).await.unwrap();
    assert_eq!(used, 1);
    let dry = import(&mut elsewhere, true, vec![row, named]).await.unwrap();
    assert_eq!((counts(&dry), errors(&dry)), ((1, 0, 1), expected[1..].to_vec()));
}

/// In an installation that lets somebody bring households in without letting them be read.
#[tokio::test]
async fn for_whom_may_not_read_households_nothing_is_compared() {
    let roles = [("town".to_owned(), vec!["monitoring.household.import".to_owned()])].into();
    let app = TestApp::start_in(TestWorld::with_roles(now(), roles).await).await;
    app.hq().register(numbered(VILLAGE, 0)).await.unwrap();
    let id = list(&mut app.hq(), 0).await.unwrap()[0].household_id.clone();
    let rows = vec![numbered(VILLAGE, 0), HouseholdDraft { household_id: id, ..numbered(VILLAGE, 0) }];
    let status = import(&mut app.clients("town", TOWN), false, rows).await.unwrap();
    let expected = [(1, "HOUSEHOLD_NUMBER_TAKEN", "household_number"), (2, "HOUSEHOLD_NOT_FOUND", "household_id")];
    assert_eq!((counts(&status), errors(&status)), ((0, 0, 2), expected.to_vec()));
}

#[tokio::test]
async fn nothing_masked_is_stored_at_any_door() {
    let app = TestApp::start().await;
    let mut clerk = app.clients("village", VILLAGE);
    let household = clerk.register(numbered(VILLAGE, 0)).await.unwrap();
    let refused = |status: Status, field: &str| {
        assert_eq!(told(&status), (Code::InvalidArgument, "MASKED_VALUE".to_owned(), vec![field.to_owned()]));
    };
    for (field, change) in [
        ("members[1].name", (|draft| draft.members[1].name = "王**".to_owned()) as fn(&mut HouseholdDraft)),
        ("members[1].id_number", |draft| draft.members[1].id_number = "4418**************".to_owned()),
        ("members[1].phone", |draft| draft.members[1].phone = "138****1234".to_owned()),
        ("address", |draft| draft.address = "沙塘村***".to_owned()),
        ("bank_account", |draft| draft.bank_account = "***************0018".to_owned()),
    ] {
        let mut draft = numbered(VILLAGE, 1);
        change(&mut draft);
        refused(clerk.register(draft.clone()).await.unwrap_err(), &format!("household.{field}"));
        let status = import(&mut app.hq(), false, vec![draft]).await.unwrap();
        assert_eq!(errors(&status), [(1, "MASKED_VALUE", field)]);
    }
    for (field, address, bank_account) in [("address", "沙塘村***", ""), ("bank_account", "", "***************0018")]
    {
        let request = v1::ChangeHouseholdRequest {
            request_id: new_request_id(),
            household_id: household.household_id.clone(),
            address: address.to_owned(),
            bank_account: bank_account.to_owned(),
            support: 1,
            ..Default::default()
        };
        refused(clerk.households.change_household(request).await.unwrap_err(), field);
    }
    let mut member = numbered(VILLAGE, 0).members.remove(0);
    member.phone = "138****1234".to_owned();
    let request = v1::SetMemberRequest {
        request_id: new_request_id(),
        household_id: household.household_id.clone(),
        member_id: household.members[0].member_id.clone(),
        member: Some(member),
        expected_version: 0,
    };
    refused(clerk.households.set_member(request).await.unwrap_err(), "member.phone");
    assert_eq!(kept(&app).await, [(household.household_id.clone(), 1)]);
}

#[tokio::test]
async fn what_an_import_may_leave_out_is_required_where_a_household_is_registered() {
    let app = TestApp::start().await;
    let mut unhealthy = numbered(VILLAGE, 0);
    unhealthy.members[1].health.clear();
    let named = HouseholdDraft { household_id: new_request_id(), ..numbered(VILLAGE, 0) };
    for (draft, field) in [(unhealthy, "household.members[1].health"), (named, "household.household_id")] {
        let refused = app.hq().register(draft).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec![field.to_owned()]));
    }
}

/// A repeated request is answered by what is kept of its response, without what is personal: that is read again.
#[tokio::test]
async fn a_repeated_answer_has_the_masked_address_again() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let request = RegisterHouseholdRequest { request_id: new_request_id(), household: Some(numbered(VILLAGE, 0)) };
    let first = hq.households.register_household(request.clone()).await.unwrap().into_inner();
    let again = hq.households.register_household(request).await.unwrap().into_inner();
    assert_eq!(first, again);
    let stored: Vec<Vec<u8>> = sqlx::query_scalar("SELECT answer FROM request").fetch_all(&app.owner).await.unwrap();
    assert!(!stored.iter().any(|answer| answer.windows(4).any(|bytes| bytes == b"0018")));
}
