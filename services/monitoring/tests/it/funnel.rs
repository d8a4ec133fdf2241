//! What became of signals: ten of them, with all outcomes, counted by hand.

use tongxin_proto::monitoring::v1::{self, Department, FunnelRow, SignalKind};
use tonic::Code;
use uuid::Uuid;

use crate::{
    drafts::id_number,
    made,
    support::{
        COUNTY, OTHER_COUNTY, OTHER_VILLAGE, PROVINCE, TOWN, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, day,
        new_request_id, told,
    },
};

/// How a report came in.
#[derive(Clone, Copy)]
enum Way {
    Warning(&'static str),
    Sweep,
    SelfReport,
    Rule(i32),
}

/// What became of a signal's case.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Refused,
    Monitored,
    Removed,
    /// Removed, and there was another case since: approved, or refused.
    Again(bool),
}

/// Writes signals as they are kept: how they come to be is tested elsewhere.
struct Notebook<'a> {
    app: &'a TestApp,
    rule_set: Uuid,
}

impl Notebook<'_> {
    async fn signal(&self, village: &str, state: &str, on: &str, ways: &[Way], end: Option<End>) {
        let household: Uuid = made::household(self.app, village).await.parse().unwrap();
        let region: i64 = village.parse().unwrap();
        let case = match end {
            Some(end) => Some(self.cases(household, region, end).await),
            None => None,
        };
        let signal = Uuid::now_v7();
        sqlx::query(
            "INSERT INTO signal (signal_id, household_id, region_code, cause, state, reported_on, reason, decided_on,
                                 case_id, version)
             VALUES ($1, $2, $3, 'illness', $4, $5, '', CASE WHEN $4 = 'open' THEN NULL ELSE $5 END, $6, 1)",
        )
        .bind(signal)
        .bind(household)
        .bind(region)
        .bind(state)
        .bind(day(on))
        .bind(case)
        .execute(&self.app.owner)
        .await
        .unwrap();
        for (position, way) in (1..).zip(ways) {
            self.source(signal, position, (household, region), *way, on).await;
        }
    }

    async fn source(&self, signal: Uuid, position: i32, (household, region): (Uuid, i64), way: Way, on: &str) {
        let (kind, department, rule) = match way {
            Way::Warning(department) => ("department_warning", Some(department), None),
            Way::Sweep => ("sweep", None, None),
            Way::SelfReport => ("self_report", None, None),
            Way::Rule(number) => ("screening", None, Some(number)),
        };
        let verdict = rule.map(|_| Uuid::now_v7());
        if let Some(verdict) = verdict {
            sqlx::query(
                "INSERT INTO verdict (verdict_id, household_id, region_code, rule_set_id, rule_number, window_ends_on,
                                      inputs, message, screened_on, record_time)
                 VALUES ($1, $2, $3, $4, $5, $6, '{}', '', $6, now())",
            )
            .bind(verdict)
            .bind(household)
            .bind(region)
            .bind(self.rule_set)
            .bind(rule)
            .bind(day(on))
            .execute(&self.app.owner)
            .await
            .unwrap();
        }
        sqlx::query(
            "INSERT INTO signal_source (signal_id, position, region_code, kind, department, reported_on, verdict_id,
                                        rule_set_id, rule_number)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(signal)
        .bind(position)
        .bind(region)
        .bind(kind)
        .bind(department)
        .bind(day(on))
        .bind(verdict)
        .bind(rule.map(|_| self.rule_set))
        .bind(rule)
        .execute(&self.app.owner)
        .await
        .unwrap();
    }

    /// The case of a signal, and the one after it.
    async fn cases(&self, household: Uuid, region: i64, end: End) -> Uuid {
        let first = match end {
            End::Refused => "refused",
            End::Monitored => "monitored",
            End::Removed | End::Again(_) => "removed",
        };
        let case = self.case(household, region, first, None).await;
        if let End::Again(approved) = end {
            self.case(household, region, if approved { "monitored" } else { "refused" }, Some(case)).await;
        }
        case
    }

    async fn case(&self, household: Uuid, region: i64, stage: &str, relapse_of: Option<Uuid>) -> Uuid {
        let case = Uuid::new_v4();
        sqlx::query(
            "INSERT INTO cases (case_id, household_id, region_code, rule_set_id, category, risks, risk_remark, opened_on,
                                opened_by, stage, identified_on, removal_kind, proposed_by, removed_on, relapse_of,
                                signal_ids, version)
             VALUES ($1, $2, $3, $4, 'marginal', '{illness}', '', '2025-04-01', 'opener', $5,
                     CASE WHEN $5 <> 'refused' THEN date '2025-04-10' END,
                     CASE WHEN $5 = 'removed' THEN 'assisted' END, CASE WHEN $5 = 'removed' THEN 'proposer' END,
                     CASE WHEN $5 = 'removed' THEN date '2025-06-01' END, $6, '{}', 1)",
        )
        .bind(case)
        .bind(household)
        .bind(region)
        .bind(self.rule_set)
        .bind(stage)
        .bind(relapse_of)
        .execute(&self.app.owner)
        .await
        .unwrap();
        case
    }
}

/// Ten signals of Yangshan that were reported in March 2025:
///
/// | | reported by | found | and then |
/// |---|---|---|---|
/// | 1 | health | true | identified, removed |
/// | 2 | health | true | identified, removed, relapsed |
/// | 3 | health | true | identified |
/// | 4 | health | not | |
/// | 5 | health, sweep | true | |
/// | 6 | education | true | refused |
/// | 7 | education | open | |
/// | 8 | rules 1 and 2 | true | identified |
/// | 9 | the household | true | identified, removed, a later case refused |
/// | 10 | sweep, in another village | open | |
///
/// And one of April, and one of another county.
async fn ten_signals(app: &TestApp) -> Uuid {
    let rule_set = made::store(&mut app.hq(), made::rule_set(PROVINCE)).await.unwrap().rule_set_id.parse().unwrap();
    let notebook = Notebook { app, rule_set };
    let health = Way::Warning("health");
    let education = Way::Warning("education");
    for (village, state, on, ways, end) in [
        (VILLAGE, "verified", "2025-03-01", &[health][..], Some(End::Removed)),
        (VILLAGE, "verified", "2025-03-02", &[health], Some(End::Again(true))),
        (VILLAGE, "verified", "2025-03-03", &[health], Some(End::Monitored)),
        (VILLAGE, "refuted", "2025-03-04", &[health], None),
        (VILLAGE, "verified", "2025-03-05", &[health, Way::Sweep], None),
        (VILLAGE, "verified", "2025-03-06", &[education], Some(End::Refused)),
        (VILLAGE, "open", "2025-03-07", &[education], None),
        (VILLAGE, "verified", "2025-03-08", &[Way::Rule(1), Way::Rule(2)], Some(End::Monitored)),
        (VILLAGE, "verified", "2025-03-09", &[Way::SelfReport], Some(End::Again(false))),
        (OTHER_VILLAGE, "open", "2025-03-31", &[Way::Sweep], None),
        (VILLAGE, "verified", "2025-04-01", &[health], Some(End::Monitored)),
        (VILLAGE_ELSEWHERE, "verified", "2025-03-15", &[health], Some(End::Monitored)),
    ] {
        notebook.signal(village, state, on, ways, end).await;
    }
    rule_set
}

async fn funnel(app: &TestApp, region: &str, from: &str, until: &str) -> v1::GetFunnelResponse {
    let request = v1::GetFunnelRequest { region_code: region.to_owned(), from: date(from), until: date(until) };
    app.hq().signals.get_funnel(request).await.unwrap().into_inner()
}

/// Signals, verified, refuted, identified, removed, relapsed, precision.
fn outcomes(row: &FunnelRow) -> [i64; 7] {
    [row.signals, row.verified, row.refuted, row.identified, row.removed, row.relapsed, row.precision]
}

#[tokio::test]
async fn ten_signals_are_counted_as_by_hand() {
    let app = TestApp::start().await;
    let rule_set = ten_signals(&app).await.to_string();
    let answer = funnel(&app, COUNTY, "2025-03-01", "2025-03-31").await;
    let row = |kind: SignalKind, department: Department, rule_number: i32| {
        let is_meant =
            |row: &&FunnelRow| (row.kind(), row.department(), row.rule_number) == (kind, department, rule_number);
        answer.rows.iter().find(is_meant).unwrap_or_else(|| panic!("no {kind:?} {department:?} {rule_number}"))
    };
    let (warning, screening, none) = (SignalKind::DepartmentWarning, SignalKind::Screening, Department::Unspecified);
    assert_eq!(answer.rows.len(), 6);
    // 1 to 5: four true, one not; three identified, two of them removed, one of these relapsed. 3 of 5 are 60 %.
    assert_eq!(outcomes(row(warning, Department::Health, 0)), [5, 4, 1, 3, 2, 1, 6_000]);
    // 6 and 7: one true, one open; nobody identified.
    assert_eq!(outcomes(row(warning, Department::Education, 0)), [2, 1, 0, 0, 0, 0, 0]);
    // 8 rests on two rules, and counts for each.
    for number in [1, 2] {
        assert_eq!(outcomes(row(screening, none, number)), [1, 1, 0, 1, 0, 0, 10_000]);
        assert_eq!(row(screening, none, number).rule_set_id, rule_set);
    }
    // 9: a later case that was refused is no relapse.
    assert_eq!(outcomes(row(SignalKind::SelfReport, none, 0)), [1, 1, 0, 1, 1, 0, 10_000]);
    // 5 and 10.
    assert_eq!(outcomes(row(SignalKind::Sweep, none, 0)), [2, 1, 0, 0, 0, 0, 0]);

    // Each of the ten once: seven true, one not, two open; five identified (1, 2, 3, 8, 9), three removed (1, 2, 9).
    assert_eq!(outcomes(answer.total.as_ref().unwrap()), [10, 7, 1, 5, 3, 1, 5_000]);
    // The rows have two more signals than there are: 5 came in on two ways, 8 by two rules.
    let sums = answer.rows.iter().map(outcomes).fold([0; 6], |mut sums, row| {
        sums.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
        sums
    });
    assert_eq!(sums, [12, 9, 1, 6, 3, 1]);
}

#[tokio::test]
async fn the_period_has_its_last_day_and_regions_add_up() {
    let app = TestApp::start().await;
    ten_signals(&app).await;
    let signals = async |region, from, until| funnel(&app, region, from, until).await.total.unwrap().signals;
    assert_eq!(signals(VILLAGE, "2025-03-01", "2025-03-31").await, 9);
    assert_eq!(signals(OTHER_VILLAGE, "2025-03-01", "2025-03-31").await, 1);
    assert_eq!(signals(OTHER_VILLAGE, "2025-03-01", "2025-03-30").await, 0);
    assert_eq!(signals(TOWN, "2025-03-31", "2025-04-01").await, 2);
    assert_eq!(signals(PROVINCE, "2025-03-01", "2025-03-31").await, 11);
    assert_eq!(signals(OTHER_COUNTY, "2025-03-01", "2025-03-31").await, 1);
    let nothing = funnel(&app, TOWN, "2020-01-01", "2020-12-31").await;
    assert_eq!((nothing.rows.len(), outcomes(&nothing.total.unwrap())), (0, [0; 7]));
}

#[tokio::test]
async fn warnings_count_whether_or_not_anybody_is_known() {
    let app = TestApp::start().await;
    ten_signals(&app).await;
    for (department, count) in [(Department::Health, 3_u32), (Department::Water, 1)] {
        let row = |number: u32| v1::Warning {
            id_number: id_number("19700101", number),
            cause: v1::Risk::Illness.into(),
            occurred_on: date("2025-03-31"),
            reference: format!("A-{number}"),
            region_code: String::new(),
        };
        let options = v1::WarningOptions { request_id: new_request_id(), department: department.into() };
        let rows = v1::WarningRows { rows: (0..count).map(row).collect() };
        let parts =
            [v1::submit_warnings_request::Part::Options(options), v1::submit_warnings_request::Part::Rows(rows)];
        let requests = parts.map(|part| v1::SubmitWarningsRequest { part: Some(part) });
        app.department(department, COUNTY).signals.submit_warnings(futures::stream::iter(requests)).await.unwrap();
    }
    let answer = funnel(&app, COUNTY, "2025-03-01", "2025-03-31").await;
    let of = |department: Department| answer.rows.iter().find(|row| row.department() == department).unwrap();
    assert_eq!((of(Department::Health).warnings, of(Department::Health).signals), (3, 5));
    assert_eq!((of(Department::Water).warnings, of(Department::Water).signals), (1, 0));
    assert_eq!(of(Department::Education).warnings, 0);
    assert_eq!((answer.total.as_ref().unwrap().warnings, answer.total.as_ref().unwrap().signals), (4, 10));
    assert_eq!(funnel(&app, TOWN, "2025-03-01", "2025-03-31").await.total.unwrap().warnings, 0, "the county sent them");
}

#[tokio::test]
async fn a_funnel_that_cannot_be_is_refused() {
    let app = TestApp::start().await;
    let ask = |caller: &str, region: &str, from: &str, until: &str| {
        let request = v1::GetFunnelRequest { region_code: region.to_owned(), from: date(from), until: date(until) };
        let mut clients = app.clients("county", caller);
        async move { told(&clients.signals.get_funnel(request).await.unwrap_err()) }
    };
    let (code, reason, fields) = ask(COUNTY, COUNTY, "2025-03-02", "2025-03-01").await;
    assert_eq!((code, reason.as_str(), fields), (Code::InvalidArgument, "DATE_ORDER", vec!["until".to_owned()]));
    for region in [VILLAGE_ELSEWHERE, PROVINCE, "441823107299"] {
        assert_eq!(ask(COUNTY, region, "2025-03-01", "2025-03-01").await.1, "REGION_NOT_FOUND", "{region}");
    }
}
