//! Data-quality rules, at entry and over everything.

use std::collections::BTreeSet;

use tongxin_proto::monitoring::v1::{self, HousingGrade, Insurance, Relation, Severity, SocialSupport};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    drafts::{couple, household, id_number, member},
    lives::{case, observed, removal, start, track},
    made,
    support::{
        COUNTY, Clients, OTHER_VILLAGE, PROVINCE, TOWN, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, day, new_request_id,
        told,
    },
};

impl Clients {
    /// Checks a region and returns all answers.
    async fn check(&mut self, region: &str) -> Result<Vec<v1::CheckHouseholdsResponse>, Status> {
        let request = v1::CheckHouseholdsRequest { region_code: region.to_owned() };
        let mut answers = self.villages.check_households(request).await?.into_inner();
        let mut all = Vec::new();
        while let Some(answer) = answers.message().await? {
            all.push(answer);
        }
        Ok(all)
    }

    async fn defects(&mut self, region: &str, rule_number: i32) -> v1::ListDefectsResponse {
        let region_code = region.to_owned();
        let request = v1::ListDefectsRequest { region_code, rule_number, ..v1::ListDefectsRequest::default() };
        self.villages.list_defects(request).await.unwrap().into_inner()
    }

    async fn defective(&mut self, rule_number: i32) -> Vec<v1::Defect> {
        let request =
            v1::ListDefectiveHouseholdsRequest { rule_number, ..v1::ListDefectiveHouseholdsRequest::default() };
        self.villages.list_defective_households(request).await.unwrap().into_inner().defects
    }
}

/// The numbers of the rules that find fault with a household.
async fn found(app: &TestApp, household: &str) -> BTreeSet<i16> {
    sqlx::query_scalar("SELECT rule_number FROM defect WHERE household_id = $1")
        .bind(Uuid::parse_str(household).unwrap())
        .fetch_all(&app.owner)
        .await
        .unwrap()
        .into_iter()
        .collect()
}

fn numbers<const N: usize>(numbers: [i16; N]) -> BTreeSet<i16> {
    numbers.into()
}

/// A couple that is registered late enough to need no observation yet.
async fn registered(app: &TestApp, village: &str, order: u32) -> String {
    app.registered(village, order).await.household_id
}

#[tokio::test]
async fn what_no_truth_can_be_behind_is_refused_at_entry_and_what_is_strange_is_warned_of() {
    let app = TestApp::start().await;
    let register = |draft: v1::HouseholdDraft| {
        let mut village = app.clients("village", VILLAGE);
        async move {
            let request = v1::RegisterHouseholdRequest { request_id: new_request_id(), household: Some(draft) };
            village.households.register_household(request).await.map(tonic::Response::into_inner)
        }
    };
    let sound = register(couple(VILLAGE, 0)).await.unwrap();
    assert_eq!(sound.warnings, Vec::<i32>::new());

    let mut farmer_of_three = couple(VILLAGE, 1);
    farmer_of_three.members.push(member("张小宝", id_number("20220101", 1), Relation::Child));
    let refused = register(farmer_of_three).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "DATA_QUALITY"));
    assert!(refused.message().contains("206"), "{}", refused.message());
    assert_eq!(app.count("household").await, 1);

    let mut two_men = couple(VILLAGE, 2);
    two_men.members[1].id_number = id_number("19820202", 7);
    let warned = register(two_men).await.unwrap();
    assert_eq!(warned.warnings, [104]);
}

#[tokio::test]
async fn an_observation_is_warned_of_by_what_it_says() {
    let app = TestApp::start().await;
    made::store(&mut app.hq(), made::rule_set(PROVINCE)).await.unwrap();
    let household = registered(&app, VILLAGE, 0).await;
    let poor = v1::ObservationDraft { wages_fen: 1_000_000, ..made::observation(&household) };
    let recorded = made::record(&mut app.hq(), poor).await.unwrap();
    assert!(recorded.warnings.contains(&504), "below the line, but not under monitoring: {:?}", recorded.warnings);
}

#[tokio::test]
async fn a_check_finds_what_is_wrong_over_everything() {
    let app = TestApp::start().await;
    made::store(&mut app.hq(), made::rule_set(PROVINCE)).await.unwrap();
    let sound = registered(&app, VILLAGE, 0).await;
    observed(&app, &sound, "2025-05-31", 3_000_000).await;
    let poor = registered(&app, VILLAGE, 1).await;
    let draft = v1::ObservationDraft {
        wages_fen: 1_000_000,
        housing_grade: HousingGrade::D.into(),
        water_safe: false,
        ..made::observation(&poor)
    };
    made::record(&mut app.hq(), draft).await.unwrap();
    // The same man in two households, of which one is in another county.
    let twin = household(VILLAGE_ELSEWHERE, vec![member("张三丰", id_number("19800101", 1), Relation::Head)]);
    let twin = app.hq().register(twin).await.unwrap().household_id;
    let two_men = household(
        OTHER_VILLAGE,
        vec![
            member("李雷", id_number("19800101", 101), Relation::Head),
            member("韩梅", id_number("19820202", 103), Relation::Spouse),
        ],
    );
    let two_men = app.hq().register(two_men).await.unwrap().household_id;
    // Registered for years, and never observed.
    let forgotten = v1::HouseholdDraft { registered_on: date("2022-01-01"), ..couple(OTHER_VILLAGE, 4) };
    let forgotten = app.hq().register(forgotten).await.unwrap().household_id;
    let supported = v1::HouseholdDraft { support: SocialSupport::ExtremeDifficulty.into(), ..couple(OTHER_VILLAGE, 5) };
    let supported = app.hq().register(supported).await.unwrap().household_id;

    let mut county = app.clients("county", COUNTY);
    let answers = county.check(COUNTY).await.unwrap();
    let last = answers.last().unwrap();
    assert_eq!(
        (last.households, last.defects, last.done),
        (5, 6, true),
        "what is about another county too is not counted"
    );
    assert!(answers.iter().rev().skip(1).all(|answer| !answer.done));
    assert_eq!(found(&app, &sound).await, numbers([114]));
    assert_eq!(found(&app, &poor).await, numbers([503, 504, 505]));
    assert_eq!(found(&app, &two_men).await, numbers([104]));
    assert_eq!(found(&app, &forgotten).await, numbers([401]));
    assert_eq!(found(&app, &supported).await, numbers([506]));
    assert_eq!(found(&app, &twin).await, numbers([]), "that county was not checked");
    app.hq().check(PROVINCE).await.unwrap();
    assert_eq!(found(&app, &twin).await, numbers([114]));
}

#[tokio::test]
async fn who_is_registered_twice_is_told_of_to_those_only_who_see_both_households() {
    let app = TestApp::start().await;
    let pair = async |caller: &mut Clients, region: &str| {
        let counted = caller.check(region).await.unwrap().last().unwrap().defects;
        let listed = caller.defects(region, 114).await;
        assert_eq!(usize::try_from(listed.total).unwrap(), caller.defective(114).await.len());
        (counted, listed.total)
    };
    let alone = |village: &str| household(village, vec![member("张三", id_number("19800101", 1), Relation::Head)]);
    app.hq().register(alone(VILLAGE)).await.unwrap();
    app.hq().register(alone(VILLAGE_ELSEWHERE)).await.unwrap();
    for (role, region) in [("village", VILLAGE), ("town", TOWN), ("county", COUNTY), ("hq", "441800000000")] {
        let expected = if region == "441800000000" { (2, 2) } else { (0, 0) };
        // Whoever checks: what is kept is the same.
        app.hq().check(PROVINCE).await.unwrap();
        let mut caller = app.clients("hq", region);
        assert_eq!(pair(&mut caller, region).await, expected, "{role}");
    }
    // Of two households of theirs, one in the next village, the nearest counts.
    app.hq().register(alone(OTHER_VILLAGE)).await.unwrap();
    for (region, expected) in [(VILLAGE, (0, 0)), (TOWN, (2, 2)), (COUNTY, (2, 2)), (PROVINCE, (3, 3))] {
        assert_eq!(pair(&mut app.clients("hq", region), region).await, expected, "{region}");
    }
    // Who comes to know the village by a move learns nothing more.
    let here = app.hq().defective(114).await.into_iter().find(|defect| defect.region_code == VILLAGE).unwrap();
    crate::moves::move_to(&mut app.clients("hq", TOWN), &here.household_id, OTHER_VILLAGE, "2025-06-30").await.unwrap();
    let moved: Vec<_> = app.hq().defective(114).await.into_iter().map(|defect| defect.region_code).collect();
    assert_eq!(moved, [OTHER_VILLAGE, OTHER_VILLAGE, VILLAGE_ELSEWHERE]);
    // Who is left by one of a pair is told of it no longer, and who has both now is told at once.
    let mut elsewhere = app.clients("hq", "441825000000");
    assert_eq!(
        (app.clients("hq", TOWN).defects(TOWN, 114).await.total, elsewhere.defects("441825000000", 114).await.total),
        (2, 0)
    );
    crate::moves::move_to(&mut app.hq(), &here.household_id, VILLAGE_ELSEWHERE, "2025-06-30").await.unwrap();
    assert_eq!(
        (app.clients("hq", TOWN).defects(TOWN, 114).await.total, elsewhere.defects("441825000000", 114).await.total),
        (0, 2)
    );
}

#[tokio::test]
async fn a_case_that_should_not_have_been_removed_is_found() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.open(case(&household)).await.unwrap().case_id;
    hq.take(track(&id, "2024-06-10")).await;
    hq.check(VILLAGE).await.unwrap();
    // Nobody is ill of those who are at risk by illness, and no measure was planned in a year.
    assert_eq!(found(&app, &household).await, numbers([602, 701]));
    hq.propose(removal(&id, v1::RemovalKind::Natural, "2025-06-10")).await.unwrap();
    hq.take(track(&id, "2025-06-10")).await;
    hq.check(VILLAGE).await.unwrap();
    assert_eq!(found(&app, &household).await, numbers([]));
    let bad = v1::ObservationDraft {
        wages_fen: 1_000_000,
        schooling_guaranteed: false,
        water_safe: false,
        ..made::observation(&household)
    };
    made::record(&mut hq, bad).await.unwrap();
    hq.check(VILLAGE).await.unwrap();
    assert_eq!(found(&app, &household).await, numbers([502, 611, 612, 614]));
}

#[tokio::test]
async fn a_defect_that_stays_keeps_its_day_and_one_that_is_gone_is_forgotten() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let mut odd = couple(VILLAGE, 0);
    odd.members[1].id_number = id_number("19820202", 7);
    odd.support = SocialSupport::ExtremeDifficulty.into();
    let registered = hq.register(odd).await.unwrap();
    hq.check(VILLAGE).await.unwrap();
    assert_eq!(found(&app, &registered.household_id).await, numbers([104, 506]));

    app.world.clock.set("2025-07-31T04:00:00Z".parse().unwrap());
    let request = v1::ChangeHouseholdRequest {
        request_id: new_request_id(),
        household_id: registered.household_id.clone(),
        support: SocialSupport::None.into(),
        lifted_from_poverty: true,
        ..v1::ChangeHouseholdRequest::default()
    };
    app.hq().households.change_household(request).await.unwrap();
    let mut hq = app.hq();
    hq.check(VILLAGE).await.unwrap();
    assert_eq!(found(&app, &registered.household_id).await, numbers([104]));
    assert_eq!(hq.defective(104).await[0].found_on, Some(day("2025-06-30").into()));

    // One that was merged into another is nobody's defect any more.
    let kept = hq.register(couple(VILLAGE, 3)).await.unwrap().household_id;
    let request = v1::MergeHouseholdsRequest {
        request_id: new_request_id(),
        kept_id: kept,
        merged_id: registered.household_id.clone(),
        ..v1::MergeHouseholdsRequest::default()
    };
    hq.households.merge_households(request).await.unwrap();
    hq.check(VILLAGE).await.unwrap();
    assert_eq!(found(&app, &registered.household_id).await, numbers([]));
}

#[tokio::test]
async fn defects_are_counted_by_village_and_rule_and_move_along() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let mut first = String::new();
    for (order, village) in [(1, VILLAGE), (2, VILLAGE), (3, OTHER_VILLAGE), (4, VILLAGE_ELSEWHERE)] {
        let mut odd = couple(village, order);
        odd.registered_on = date("2025-01-01");
        odd.members[1].id_number = id_number("19820202", 2 * order + 101);
        let id = hq.register(odd).await.unwrap().household_id;
        if order == 1 {
            first = id;
        }
    }
    hq.check(PROVINCE).await.unwrap();
    let shown = |answer: v1::ListDefectsResponse| {
        let counts = answer.counts.iter().map(|count| (count.region_code.clone(), count.rule_number, count.households));
        (counts.collect::<Vec<_>>(), answer.total)
    };
    let both = vec![(VILLAGE.to_owned(), 104, 2), (OTHER_VILLAGE.to_owned(), 104, 1)];
    assert_eq!(shown(hq.defects(COUNTY, 0).await), (both.clone(), 3));
    assert_eq!(shown(hq.defects(COUNTY, 104).await), (both, 3));
    assert_eq!(shown(hq.defects(COUNTY, 101).await), (Vec::new(), 0));
    assert_eq!(hq.defects("", 0).await.total, 4);
    let mut town = app.clients("town", TOWN);
    assert_eq!(town.defects("", 0).await.total, 3);
    assert_eq!(town.defects(VILLAGE_ELSEWHERE, 0).await.total, 0);
    assert_eq!(town.defective(104).await.len(), 3);

    let mut page = v1::ListDefectiveHouseholdsRequest { rule_number: 104, page_size: 3, ..Default::default() };
    let start = hq.villages.list_defective_households(page.clone()).await.unwrap().into_inner();
    page.page_token = start.next_page_token;
    let end = hq.villages.list_defective_households(page).await.unwrap().into_inner();
    assert_eq!((start.defects.len(), end.defects.len(), end.next_page_token.as_str()), (3, 1, ""));

    let request = v1::MoveHouseholdRequest {
        request_id: new_request_id(),
        household_id: first,
        region_code: OTHER_VILLAGE.to_owned(),
        moved_on: date("2025-06-01"),
        expected_version: 0,
        new_household_number: String::new(),
    };
    hq.households.move_household(request).await.unwrap();
    let counts = hq.defects(TOWN, 0).await.counts;
    assert_eq!(counts.iter().map(|count| count.households).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn pages_of_counts_follow_each_other_by_village_and_rule() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    for (order, village) in [(1, VILLAGE), (2, OTHER_VILLAGE), (3, VILLAGE_ELSEWHERE)] {
        let mut odd = couple(village, order);
        odd.registered_on = date("2025-01-01");
        odd.members[1].id_number = id_number("19820202", 2 * order + 101);
        odd.members[0].insurances = vec![Insurance::ResidentMedical.into(), Insurance::EmployeeMedical.into()];
        hq.register(odd).await.unwrap();
    }
    hq.check(PROVINCE).await.unwrap();
    for rule_number in [0, 104] {
        let whole = hq.defects("", rule_number).await;
        assert!(whole.counts.len() >= 3);
        let mut page = v1::ListDefectsRequest { rule_number, page_size: 1, ..v1::ListDefectsRequest::default() };
        let (mut counts, mut total) = (Vec::new(), 0);
        loop {
            let answer = hq.villages.list_defects(page.clone()).await.unwrap().into_inner();
            counts.extend(answer.counts);
            total += answer.total;
            page.page_token = answer.next_page_token;
            if page.page_token.is_empty() {
                break;
            }
        }
        assert_eq!((&counts, total), (&whole.counts, whole.total));
    }
    let of_one = hq.defects(VILLAGE, 0).await;
    assert!(of_one.counts.len() >= 2, "several rules of one village: {of_one:?}");
}

#[tokio::test]
async fn a_region_is_checked_by_who_may_and_sees_it() {
    let app = TestApp::start().await;
    let mut town = app.clients("town", TOWN);
    let foreign = town.check(VILLAGE_ELSEWHERE).await.unwrap_err();
    assert_eq!((foreign.code(), told(&foreign).1.as_str()), (Code::NotFound, "REGION_NOT_FOUND"));
    let none = town.check("441823107299").await.unwrap_err();
    assert_eq!(told(&none).1, "REGION_NOT_FOUND");
    let village = app.clients("village", VILLAGE).check(VILLAGE).await.unwrap_err();
    assert_eq!(told(&village).1, "PERMISSION_MISSING");
    let empty = town.check(TOWN).await.unwrap();
    assert_eq!(empty, [v1::CheckHouseholdsResponse { households: 0, defects: 0, done: true }]);
}

#[tokio::test]
async fn a_check_comes_in_parts_that_each_say_how_far_it_is() {
    let app = TestApp::start().await;
    let insert = "
        INSERT INTO household (household_id, region_code, lifted_from_poverty, support, data_key, sealed_contact,
                               registered_on, register_time, version)
        SELECT gen_random_uuid(), 441823107201, false, 'none', '', '', '2022-01-01', now(), 1
        FROM generate_series(1, 2300)";
    sqlx::query(insert).execute(&app.owner).await.unwrap();
    let answers = app.hq().check(TOWN).await.unwrap();
    let progress: Vec<_> = answers.iter().map(|answer| (answer.households, answer.defects, answer.done)).collect();
    assert_eq!(progress, [(1_000, 1_000, false), (2_000, 2_000, false), (2_300, 2_300, false), (2_300, 2_300, true)]);
    assert_eq!(app.hq().defects("", 401).await.total, 2_300);
}

#[tokio::test]
async fn the_rules_are_listed_with_what_they_do() {
    let app = TestApp::start().await;
    let request = v1::ListQualityRulesRequest {};
    let rules = app.clients("village", VILLAGE).villages.list_quality_rules(request).await.unwrap().into_inner().rules;
    assert!(rules.len() >= 40 && rules.is_sorted_by_key(|rule| rule.number));
    assert!(rules.iter().all(|rule| !rule.name_zh.is_empty() && !rule.name_en.is_empty()));
    let refusing: Vec<_> =
        rules.iter().filter(|rule| rule.severity() == Severity::Refuse).map(|rule| rule.number).collect();
    assert_eq!(refusing, [101, 102, 111, 112, 201, 206]);
}
