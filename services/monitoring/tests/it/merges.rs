//! Two records of one household.

use chrono::Days;
use tongxin_proto::monitoring::v1::{
    self, Department, HouseholdDraft, MergeHouseholdsRequest, Relation, Risk, UndoMergeRequest,
};
use tonic::{Code, Status};

use crate::{
    drafts::{couple, household, id_number, member},
    lives::{case, start, track},
    signals::decision,
    support::{
        COUNTY, OTHER_COUNTY, OTHER_VILLAGE, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, new_request_id, now, told,
    },
    warnings::{head_of, matched, warning},
};

/// A record with a couple, and one of the same couple in the next village, with a number and a child.
async fn two_records(app: &TestApp) -> (v1::Household, v1::Household) {
    let kept = app.registered(VILLAGE, 0).await;
    let members = vec![
        member("王小花", id_number("19820202", 2), Relation::Head),
        member("张小三", id_number("20100303", 5), Relation::Child),
    ];
    let second = HouseholdDraft { household_number: "99".to_owned(), ..household(OTHER_VILLAGE, members) };
    (kept, app.hq().register(second).await.unwrap())
}

pub fn request(kept: &v1::Household, merged: &v1::Household, take: &[usize]) -> MergeHouseholdsRequest {
    MergeHouseholdsRequest {
        request_id: new_request_id(),
        kept_id: kept.household_id.clone(),
        merged_id: merged.household_id.clone(),
        take_members: take.iter().map(|place| merged.members[*place].member_id.clone()).collect(),
        take_observations: true,
        take_household_number: true,
        expected_version: 0,
        new_household_number: String::new(),
    }
}

pub async fn merge(app: &TestApp, request: MergeHouseholdsRequest) -> Result<v1::MergeHouseholdsResponse, Status> {
    Ok(app.clients("county", COUNTY).households.merge_households(request).await?.into_inner())
}

async fn undo(app: &TestApp, merge: &v1::Merge) -> Result<v1::Merge, Status> {
    let request = UndoMergeRequest {
        request_id: new_request_id(),
        merge_id: merge.merge_id.clone(),
        new_household_number: String::new(),
    };
    Ok(app.clients("county", COUNTY).households.undo_merge(request).await?.into_inner().merge.unwrap())
}

/// An observation of a window, as the table has it.
async fn observe(app: &TestApp, household: &v1::Household, window: &str, wages: i64) {
    let insert = "
        INSERT INTO observation
        SELECT household_id, $2::date, region_code, 2, $3, 0, 0, 0, 0, 0, 0, $3, $3 / 2, true, true, 'A', true, '[]', now(), 1
        FROM household
        WHERE household_id = $1::uuid";
    let observed = sqlx::query(insert).bind(&household.household_id).bind(window).bind(wages).execute(&app.owner).await;
    assert_eq!(observed.unwrap().rows_affected(), 1);
}

/// Wages of the windows of a household, newest first, and of its profile.
async fn wages(app: &TestApp, household: &v1::Household) -> (Vec<i64>, Option<i64>) {
    let wages = "SELECT wages FROM observation WHERE household_id = $1::uuid ORDER BY window_ends_on DESC";
    let newest = "SELECT wages FROM profile WHERE household_id = $1::uuid";
    let wages = sqlx::query_scalar(wages).bind(&household.household_id).fetch_all(&app.owner).await.unwrap();
    let newest: Option<Option<i64>> =
        sqlx::query_scalar(newest).bind(&household.household_id).fetch_optional(&app.owner).await.unwrap();
    (wages, newest.flatten())
}

#[tokio::test]
async fn a_merge_takes_over_what_was_said_and_undoing_it_gives_all_back() {
    let app = TestApp::start().await;
    let (kept, second) = two_records(&app).await;
    observe(&app, &kept, "2024-12-31", 100).await;
    observe(&app, &second, "2024-12-31", 200).await;
    observe(&app, &second, "2025-05-31", 300).await;

    let merged = merge(&app, request(&kept, &second, &[1])).await.unwrap();
    let (record, household) = (merged.merge.unwrap(), merged.household.unwrap());
    assert_eq!(
        (record.taken_members.as_slice(), record.reversible_until),
        (&[second.members[1].member_id.clone()][..], date("2025-07-30"))
    );
    assert_eq!((household.household_number.as_str(), household.members.len(), household.version), ("99", 3, 2));
    assert_eq!(wages(&app, &kept).await, (vec![300, 100], Some(300)));
    assert_eq!(record.taken_windows, [date("2025-05-31").unwrap()]);
    let child = id_number("20100303", 5);
    assert_eq!(app.hq().by_id_number(&child).await, [kept.household_id.as_str()], "and not in the record set aside");
    let revealed = app.hq().reveal(&kept.household_id).await.unwrap();
    assert_eq!(revealed.members[2].id_number, child, "sealed under the kept household's key");
    let aside = app.hq().household(&second.household_id).await.unwrap();
    assert_eq!((aside.merged_into.as_str(), app.count("profile").await), (kept.household_id.as_str(), 1));
    assert_eq!(app.counted(OTHER_VILLAGE, "2025-06-30").await, 0);

    let undone = undo(&app, &record).await.unwrap();
    assert_eq!(undone.undone_on, date("2025-06-30"));
    let (kept_again, second_again) = (
        app.hq().household(&kept.household_id).await.unwrap(),
        app.hq().household(&second.household_id).await.unwrap(),
    );
    assert_eq!(kept_again, v1::Household { version: 3, ..kept.clone() });
    assert_eq!(second_again, v1::Household { version: 3, ..second.clone() });
    assert_eq!(wages(&app, &kept).await, (vec![100], Some(100)));
    assert_eq!(wages(&app, &second).await, (vec![300, 200], Some(300)));
    assert_eq!((app.counted(VILLAGE, "2025-06-30").await, app.counted(OTHER_VILLAGE, "2025-06-30").await), (1, 1));
    assert_eq!(app.hq().by_id_number(&child).await, [second.household_id.as_str()]);

    assert_eq!(undo(&app, &record).await.unwrap(), undone, "undone once");
    assert_eq!((app.events::<v1::HouseholdsMerged>().await.len(), app.events::<v1::MergeUndone>().await.len()), (1, 1));
}

#[tokio::test]
async fn a_record_that_was_set_aside_is_not_changed() {
    let app = TestApp::start().await;
    let (kept, second) = two_records(&app).await;
    merge(&app, request(&kept, &second, &[])).await.unwrap();
    let moved = v1::MoveHouseholdRequest {
        request_id: new_request_id(),
        household_id: second.household_id.clone(),
        region_code: VILLAGE.to_owned(),
        moved_on: date("2025-06-30"),
        expected_version: 0,
        new_household_number: String::new(),
    };
    let refused = app.hq().households.move_household(moved).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "HOUSEHOLD_MERGED"));
    let third = app.registered(VILLAGE, 7).await;
    for (kept, merged) in [(&second, &third), (&third, &second)] {
        let refused = merge(&app, request(kept, merged, &[])).await.unwrap_err();
        assert_eq!(told(&refused).1, "HOUSEHOLD_MERGED");
    }
}

#[tokio::test]
async fn what_cannot_be_merged_is_refused() {
    let app = TestApp::start().await;
    let (kept, second) = two_records(&app).await;
    let refusals = [
        (merge(&app, request(&kept, &kept, &[])).await, "HOUSEHOLDS_SAME"),
        (merge(&app, request(&kept, &second, &[0])).await, "MEMBER_TWICE"),
        (
            merge(
                &app,
                MergeHouseholdsRequest { take_members: vec![new_request_id()], ..request(&kept, &second, &[]) },
            )
            .await,
            "MEMBER_NOT_FOUND",
        ),
        (
            merge(&app, MergeHouseholdsRequest { expected_version: 5, ..request(&kept, &second, &[]) }).await,
            "VERSION_STALE",
        ),
    ];
    for (answer, reason) in refusals {
        assert_eq!(told(&answer.unwrap_err()).1, reason);
    }
    let foreign = app.clients("county", OTHER_COUNTY).households.merge_households(request(&kept, &second, &[])).await;
    assert_eq!(told(&foreign.unwrap_err()).1, "HOUSEHOLD_NOT_FOUND");

    let insert = "
        WITH rules AS (
            INSERT INTO rule_set (rule_set_id, region_code, effective_from, stated, actor, record_time)
            VALUES (gen_random_uuid(), 440000000000, '2021-01-01', '{}', 'operator', now())
            RETURNING rule_set_id
        )
        INSERT INTO cases
            (case_id, household_id, region_code, rule_set_id, category, risks, risk_remark, opened_on, opened_by, stage,
             next_step, next_due_on, signal_ids, version)
        SELECT gen_random_uuid(), $1::uuid, 441823107202, rule_set_id, 'marginal', '{illness}', '', '2025-06-01', 'clerk',
               'identifying', 'authorisation', '2025-06-10', '{}', 1
        FROM rules";
    sqlx::query(insert).bind(&second.household_id).execute(&app.owner).await.unwrap();
    let refused = merge(&app, request(&kept, &second, &[])).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "HOUSEHOLD_HAS_CASE"));
    merge(&app, request(&second, &kept, &[])).await.unwrap();
}

#[tokio::test]
async fn a_merge_is_final_after_thirty_days() {
    let app = TestApp::start().await;
    let (kept, second) = two_records(&app).await;
    let record = merge(&app, request(&kept, &second, &[1])).await.unwrap().merge.unwrap();
    app.world.clock.set(now() + Days::new(31));
    let refused = undo(&app, &record).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "MERGE_FINAL"));
    app.world.clock.set(now() + Days::new(30));
    undo(&app, &record).await.unwrap();
    let absent = v1::Merge { merge_id: new_request_id(), ..record };
    assert_eq!(told(&undo(&app, &absent).await.unwrap_err()).1, "MERGE_NOT_FOUND");
}

#[tokio::test]
async fn a_number_that_was_given_away_meanwhile_does_not_come_back() {
    let app = TestApp::start().await;
    let (kept, second) = two_records(&app).await;
    let without = MergeHouseholdsRequest { take_household_number: false, ..request(&kept, &second, &[]) };
    let record = merge(&app, without).await.unwrap().merge.unwrap();
    app.hq().register(HouseholdDraft { household_number: "99".to_owned(), ..couple(VILLAGE, 8) }).await.unwrap();
    let refused = undo(&app, &record).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::AlreadyExists, "HOUSEHOLD_NUMBER_TAKEN"));
}

#[tokio::test]
async fn a_signal_of_the_record_that_was_set_aside_leads_to_a_case_of_the_kept_one() {
    let (app, kept) = start().await;
    let mut hq = app.hq();
    let merged = app.registered(OTHER_VILLAGE, 7).await;
    let signal = hq.sweep(&merged.household_id, Risk::Illness, "2024-06-01").await.signal_id;
    hq.decide(decision(&signal, true, "2024-06-02")).await.unwrap();
    let of_signal = v1::CaseDraft { signal_ids: vec![signal.clone()], ..case(&kept) };
    let refused = hq.open(of_signal).await.unwrap_err();
    assert_eq!(told(&refused).1, "SIGNAL_NOT_FOUND", "it is another household's");

    let kept_record = hq.household(&kept).await.unwrap();
    merge(&app, request(&kept_record, &merged, &[])).await.unwrap();
    // Whoever sees the kept record only opens the case, and has the household identified.
    let mut village = app.clients("hq", VILLAGE);
    let opened = village.open(case(&kept)).await.unwrap();
    assert_eq!(opened.signal_ids, [signal.as_str()]);
    village.take(track(&opened.case_id, "2024-06-10")).await;
    assert_eq!(hq.signal(&signal).await.unwrap().case_id, opened.case_id);
}

#[tokio::test]
async fn a_warning_of_somebody_whose_record_was_set_aside_finds_it_again() {
    let app = TestApp::start().await;
    let (kept, merged) = (app.registered(VILLAGE, 0).await, app.registered(OTHER_VILLAGE, 7).await);
    let record = merge(&app, request(&kept, &merged, &[])).await.unwrap().merge.unwrap();
    app.department(Department::Health, COUNTY).warn(vec![warning(head_of(7), "A-1", "2025-06-10")]).await;
    assert_eq!(matched(&app).await, 0);
    undo(&app, &record).await.unwrap();
    assert_eq!(matched(&app).await, 1);
}

#[tokio::test]
async fn a_warning_finds_who_is_taken_over_to_where_it_was_sent() {
    let app = TestApp::start().await;
    let (kept, merged) = (app.registered(VILLAGE, 0).await, app.registered(VILLAGE_ELSEWHERE, 7).await);
    app.department(Department::Health, COUNTY).warn(vec![warning(head_of(7), "A-1", "2025-06-10")]).await;
    assert_eq!(matched(&app).await, 0);
    let taken = MergeHouseholdsRequest { take_observations: false, ..request(&kept, &merged, &[0]) };
    app.hq().households.merge_households(taken).await.unwrap();
    assert_eq!(matched(&app).await, 1);
}
