//! Look-ups and lists read what they show, however much there is: their plans, on 100,000 households, for a caller of
//! Guangdong.

use sqlx::{Connection as _, Executor as _, PgConnection};
use tongxin_monitoring::KIND;
use tongxin_platform::{
    region::{RegionCode, RegionRange},
    testing::{Database, Plans},
};

use crate::support::PROVINCE;

/// Rows of a page, and the one more that tells whether there is another.
const PAGE: f64 = 51.0;

/// Ten counties with ten villages each, a thousand households in each of them. Each name stands once in each village.
const FILL: &str = "
    INSERT INTO region (region_code, name, level, valid_from)
    SELECT 441801000000 + n * 1000000, 'n', 'county', date '2021-01-01' FROM generate_series(0, 9) AS n
    UNION ALL
    SELECT 441801100200 + n, 'n', 'village', date '2021-01-01' FROM generate_series(0, 20000) AS n;

    INSERT INTO household
        (household_id, household_number, region_code, lifted_from_poverty, support, data_key, sealed_contact,
         registered_on, register_time, version)
    SELECT md5('h' || n)::uuid, 'h' || n, 441801100200 + n % 10 * 1000000 + n / 10 % 10, false, 'none', '', '',
           '2025-01-01', now(), 1
    FROM generate_series(0, 99999) AS n;

    INSERT INTO member
        (household_id, member_id, region_code, position, relation, sex, birth_date, labour, schooling, insurances, work,
         work_months, sealed, id_index, name_index)
    SELECT household_id, household_id, region_code, 0, 'head', 'male', '1980-01-01', 'ordinary', 'not_at_school', 1,
           'farming', 12, '', md5('i' || substr(household_number, 2))::uuid,
           md5('n' || substr(household_number, 2)::integer / 100)::uuid
    FROM household;

    INSERT INTO profile
        (household_id, region_code, lifted_from_poverty, support, monitored, persons, labourers, students,
         children_out_of_school, elderly, elderly_rises_on, disabled, seriously_ill, chronically_ill, workers, uninsured)
    SELECT household_id, region_code, false, 'none', false, 1, 1, 0, 0, 0,
           date '2025-01-01' + substr(household_number, 2)::integer % 10000, 0, 0, 0, 1, 0
    FROM household;

    INSERT INTO rule_set (rule_set_id, region_code, effective_from, stated, actor, record_time)
    VALUES (md5('r')::uuid, 440000000000, '2021-01-01', '{}', '', now());

    INSERT INTO cases
        (case_id, household_id, region_code, rule_set_id, category, risks, risk_remark, opened_on, opened_by, stage,
         signal_ids, version)
    SELECT md5('c' || household_number)::uuid, household_id, region_code, md5('r')::uuid, 'unstable', '{illness}', '',
           '2025-01-01', '', 'refused', '{}', 1
    FROM household;

    INSERT INTO defect (household_id, rule_number, region_code, found_on)
    SELECT household_id, 1 + substr(household_number, 2)::integer % 3, region_code, '2025-01-01' FROM household;

    INSERT INTO signal (signal_id, household_id, region_code, cause, state, reported_on, reason, version)
    SELECT md5('s' || household_number)::uuid, household_id, region_code, 'illness', 'open', '2025-01-01', '', 1
    FROM household;
";

/// Warnings of a county: each person once, and of one person five thousand; and as many entries of the queue.
const FILL_WARNINGS: &str = "
    INSERT INTO warning
        (warning_id, region_code, department, reference, cause, occurred_on, data_key, sealed, id_index, record_time)
    SELECT md5('w' || n)::uuid, 441803000000, 'health', n::text, 'illness', '2025-01-01', '', '',
           md5('i' || CASE WHEN n < 5000 THEN 1 ELSE n END)::uuid, now()
    FROM generate_series(0, 50000) AS n;
    INSERT INTO match_queue (people) SELECT ARRAY[md5('i' || n)::uuid] FROM generate_series(0, 10000) AS n;
";

const COUNTY: &str = "441803000000, 441804000000";
const FIRST: &str = "00000000-0000-0000-0000-000000000000";
const MIDDLE: &str = "80000000-0000-0000-0000-000000000000";

/// Or the plans of empty tables would be gone before they are tried.
const NOT_ANALYSED: &str = "
    ALTER TABLE household SET (autovacuum_enabled = false);
    ALTER TABLE member SET (autovacuum_enabled = false);
    ALTER TABLE profile SET (autovacuum_enabled = false);
    ALTER TABLE region SET (autovacuum_enabled = false);
";

/// Statements that read all of a table: it has a few rows, or they are about all of them.
const READ_ALL: [&str; 1] = ["SELECT count(*) AS \"entries!\""];

#[tokio::test]
async fn a_look_up_reads_whom_it_finds_and_a_list_its_page() {
    let database = Database::migrated(&KIND.migrations()).await;
    database.assert_regions_are_guarded().await;
    let province = RegionCode::parse(PROVINCE).unwrap().range();
    let mut owner = PgConnection::connect(&database.owner_url).await.unwrap();
    owner.execute(NOT_ANALYSED).await.unwrap();
    let mut plans = Plans::of(env!("CARGO_MANIFEST_DIR"), &database, province).await;
    plans.plan_all(&READ_ALL).await;

    owner.execute(FILL).await.unwrap();
    owner.execute(FILL_WARNINGS).await.unwrap();
    // A first import looks people up by the plans of empty tables.
    look_ups(&mut plans).await;
    owner.execute("ANALYZE").await.unwrap();
    look_ups(&mut plans).await;
    lists(&mut plans).await;
    // The queue is seen by whoever sees every region.
    let mut of_service = Plans::of(env!("CARGO_MANIFEST_DIR"), &database, RegionRange::EVERYWHERE).await;
    assert!(of_service.rows_read("WHERE due_time <= now()", "10").await <= 20.0);
}

async fn look_ups(plans: &mut Plans) {
    let by_number = "WHERE id_index = $1 AND left_on IS NULL AND region_code >= $2";
    assert!(plans.rows_read(by_number, "md5('i7')::uuid, 440000000000, 450000000000, 50").await <= 2.0);
    let by_name = "WHERE county = ANY($5) AND name_index = $1";
    let of_county = format!("md5('n7')::uuid, {COUNTY}, 50, '{{441803}}'");
    assert!(plans.rows_read(by_name, &of_county).await <= 20.0);
    let of_city = "md5('n7')::uuid, 441800000000, 441900000000, 50, \
                   '{441801,441802,441803,441804,441805,441806,441807,441808,441809,441810}'";
    assert!(plans.rows_read(by_name, of_city).await <= 200.0);
    // Ten of each day.
    let aged = "AND region_code + 0 < $2\n        ORDER BY household_id";
    assert!(plans.rows_read(aged, "440000000000, 450000000000, '2025-01-02'").await <= 20.0);
    let elderly = "profile.region_code + 0 < $2";
    assert!(plans.rows_read(elderly, "440000000000, 450000000000, '2025-01-02', 60").await <= 40.0);
    let counties = "WHERE level IN ('city', 'county')";
    assert!(plans.rows_read(counties, "440000000000, 450000000000").await <= 10.0);

    let ten: Vec<_> = (1..=10).map(|n| format!("md5('h{n}')::uuid")).collect();
    let ten = format!("ARRAY[{}]", ten.join(", "));
    let members = "FROM member\n        WHERE household_id = ANY($1)\n        ORDER BY left_on";
    assert!(plans.rows_read(members, &ten).await <= 10.0);
    let people = "WHERE household_id = ANY($1) AND left_on IS NULL\n        ORDER BY household_id, position";
    assert!(plans.rows_read(people, &ten).await <= 10.0);
    let elderly = "count(*) FILTER (WHERE turns_on <= $2)";
    assert!(plans.rows_read(elderly, &format!("{ten}, '2025-01-11', 60")).await <= 30.0);
    let found_by = "SELECT id_index, household_id FROM member";
    assert!(plans.rows_read(found_by, &ten).await <= 10.0);
    let twice = "household_id <> asked.household_id";
    let two_of_one = "ARRAY[md5('i1')::uuid, md5('i2')::uuid], ARRAY[md5('h1')::uuid, md5('h1')::uuid]";
    assert!(plans.rows_read(twice, two_of_one).await <= 4.0);
    let two = "ARRAY[md5('i1')::uuid, md5('i6000')::uuid]";
    let warned = "SELECT member.id_index, household.household_id, household.region_code";
    assert!(plans.rows_read(warned, two).await <= 4.0);
    // One of whom thousands of warnings wait, and one of whom one does.
    let warned_of = "AS any_of_them";
    assert!(plans.rows_read(warned_of, two).await <= 2.0);
    let waiting = "AS asked (person, sender)";
    let of_county = format!("{two}, ARRAY[441803000000, 441803000000], 50");
    assert!(plans.rows_read(waiting, &of_county).await <= 200.0);
}

async fn lists(plans: &mut Plans) {
    let households = "WHERE (region_code, household_id) > ($1, $2) AND region_code < $3\n            AND merged_into";
    for after in [FIRST, MIDDLE] {
        assert!(plans.rows_read(households, &format!("441803100204, '{after}', 441804000000, 51")).await <= PAGE);
    }
    let signals = "WHERE (region_code, signal_id) > ($1, $2)";
    assert!(plans.rows_read(signals, &format!("441803100204, '{MIDDLE}', 441804000000, NULL, 51")).await <= PAGE);
    let counts = "WHERE (region_code, rule_number) > ($1, $2)";
    assert!(plans.rows_read(counts, "441803100204, 1, 441804000000, 2").await <= 2_000.0);
    let counts = "WHERE (rule_number, region_code) > ($1, $2)";
    assert!(plans.rows_read(counts, "2, 441803100203, 441804000000, 2").await <= 1_500.0);
    let defects = "WHERE (rule_number, region_code, household_id) > ($1, $2, $3)";
    assert!(plans.rows_read(defects, &format!("2, 441803100204, '{MIDDLE}', 441804000000, 51")).await <= PAGE);
    let cases = "WHERE household_id = $7";
    let of_household = format!("{COUNTY}, NULL, '0001-01-01', '{FIRST}', 51, md5('h2')::uuid");
    assert!(plans.rows_read(cases, &of_household).await <= 1.0);
    let signals = "WHERE household_id = $6";
    let of_household = format!("0, '{FIRST}', 450000000000, NULL, 51, md5('h2')::uuid");
    assert!(plans.rows_read(signals, &of_household).await <= 1.0);
}
