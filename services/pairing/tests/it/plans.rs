//! Lists read about a page, however much there is: their plans, on some 100,000 rows of each kind, for a caller of
//! Qingyuan City.

use sqlx::{Connection as _, Executor as _, PgConnection};
use tongxin_pairing::KIND;
use tongxin_platform::{
    region::RegionCode,
    testing::{Database, Plans},
};

/// Rows of a page, and the one more that tells whether there is another.
const PAGE: f64 = 51.0;

const FILL: &str = "
    INSERT INTO organisation (organisation_id, name, kind, side, host_kind, region_code, version)
    SELECT md5('o' || n)::uuid, 'n', CASE WHEN n % 1000 = 0 THEN 'hospital' WHEN n % 3 = 0 THEN 'enterprise' ELSE 'school' END,
           CASE WHEN n % 2 = 0 THEN 'supporter' ELSE 'recipient' END, NULL,
           440000000000 + (n % 21 + 1) * 100000000 + (n % 7 + 1) * 1000000 + (n % 100) * 1000 + n % 17, 1
    FROM generate_series(1, 100000) AS n;

    -- Every second pairing is of one supporter and of no place in particular.
    INSERT INTO pairing (pairing_id, kind, supporter_id, supporter_name, recipient_id, recipient_name, region_code,
                         agreement_number, starts_on, ends_on, end_reason, version)
    SELECT md5('p' || n)::uuid, CASE WHEN n % 1000 = 0 THEN 'hospital' ELSE 'school' END,
           md5('o' || CASE WHEN n % 2 = 0 THEN 2 ELSE n + 1 END)::uuid, 'n', md5('o' || (n / 2) * 2 + 1)::uuid, 'n',
           440000000000 + (n % 21 + 1) * 100000000 + (n % 7 + 1) * 1000000 + (n % 100) * 1000 + n % 17,
           '', '2024-01-01', NULL, '', 1
    FROM generate_series(1, 99999) AS n;

    INSERT INTO activity (activity_id, pairing_id, kind, held_on, participants, remark, region_code)
    SELECT md5('a' || n)::uuid, md5('p' || CASE WHEN n % 2 = 0 THEN 1 ELSE n END)::uuid, 'visit', '2025-01-01', 1, '',
           441804100000
    FROM generate_series(1, 99999) AS n;

    INSERT INTO region (region_code, name, level, parent_code, valid_from, edition, stated_from)
    VALUES (441823000000, 'n', 'county', NULL, '2021-01-01', md5('c')::uuid, '2021-01-01'),
           (441823107000, 'n', 'town', 441823000000, '2021-01-01', md5('c')::uuid, '2021-01-01');
    INSERT INTO region (region_code, name, level, parent_code, valid_from, edition, stated_from)
    SELECT 441823300000 + n, 'n', 'village', CASE WHEN n % 2 = 0 THEN 441823107000 ELSE 441823000000 END, '2021-01-01',
           md5('e')::uuid, '2021-01-01'
    FROM generate_series(1, 100000) AS n;

    INSERT INTO assistance (region_code, level, from_date)
    SELECT region_code, 'village', '2021-01-01' FROM region WHERE edition = md5('e')::uuid;
";

const COUNTY: &str = "441804000000, 441805000000";
const FIRST: &str = "0, '00000000-0000-0000-0000-000000000000'";
const MIDDLE: &str = "441804050000, '80000000-0000-0000-0000-000000000000'";

/// Statements that read all of a table: it has a few rows, or they are about all of them.
const READ_ALL: [&str; 4] = [
    "SELECT rules FROM coverage_rules",
    "DELETE FROM region_import",
    "SELECT DISTINCT region_code FROM assistance",
    "AND NOT EXISTS (SELECT FROM assistance",
];

#[tokio::test]
async fn a_look_up_reads_what_it_finds_and_a_list_its_page() {
    let database = Database::migrated(&KIND.migrations()).await;
    let city = RegionCode::parse("441800000000").unwrap().range();
    let mut owner = PgConnection::connect(&database.owner_url).await.unwrap();
    // Or the plans of empty tables would be gone before they are tried.
    owner.execute("ALTER TABLE pairing SET (autovacuum_enabled = false)").await.unwrap();
    let mut plans = Plans::of(env!("CARGO_MANIFEST_DIR"), &database, city).await;
    plans.plan_all(&READ_ALL).await;

    owner.execute(FILL).await.unwrap();
    // Who enters the first pairings has them compared by the plans of empty tables.
    books(&mut plans).await;
    owner.execute("ANALYZE").await.unwrap();
    books(&mut plans).await;
    lists(&mut plans).await;
}

/// The pairings of two organisations and of those of one village.
async fn books(plans: &mut Plans) {
    let around = "UNION SELECT * FROM pairing WHERE recipient_id = ANY($1)";
    let few = "ARRAY[md5('o3')::uuid, md5('o4')::uuid], '{441804003004}', '{party,school,hospital,enterprise}'";
    assert!(plans.rows_read(around, few).await <= 100.0);
}

async fn lists(plans: &mut Plans) {
    let organisations = "AS wanted (wanted_side, wanted_kind, from_code, until_code)";
    let supporters = format!("'{{supporter}}', '{{school}}', '{{0}}', '{{1000000000000}}', {FIRST}, 51");
    assert!(plans.rows_read(organisations, &supporters).await <= PAGE);
    let hospitals = format!("'{{supporter}}', '{{hospital}}', '{{0}}', '{{1000000000000}}', {FIRST}, 51");
    assert!(plans.rows_read(organisations, &hospitals).await <= PAGE);
    let of_county = "'{supporter,recipient}', '{school,school}', '{0,441804000000}', '{1000000000000,441805000000}'";
    for after in [FIRST, MIDDLE] {
        assert!(plans.rows_read(organisations, &format!("{of_county}, {after}, 51")).await <= 2.0 * PAGE);
    }

    let pairings = "AS wanted (wanted_kind)";
    for after in [FIRST, MIDDLE] {
        let all = format!("'{{party,school,hospital,enterprise}}', {COUNTY}, {after}, NULL, false, 51");
        assert!(plans.rows_read(pairings, &all).await <= 4.0 * PAGE);
    }
    let in_force = format!("'{{school}}', {COUNTY}, {FIRST}, '2025-06-30', false, 51");
    assert!(plans.rows_read(pairings, &in_force).await <= PAGE);

    let of_one = "WHERE recipient_id = $1";
    for after in [FIRST, MIDDLE] {
        let of_busy = format!("md5('o2')::uuid, {COUNTY}, {after}, '{{school,hospital}}', NULL, false, 51");
        assert!(plans.rows_read(of_one, &of_busy).await <= PAGE);
    }

    let activities = "WHERE pairing_id = $1 AND activity_id > $3";
    let of_busy = "md5('p1')::uuid, false, '00000000-0000-0000-0000-000000000000', 51";
    assert!(plans.rows_read(activities, of_busy).await <= PAGE);
    let regions = "WHERE (parent_code, region.region_code) > ($1, $2)";
    assert!(plans.rows_read(regions, "441823107000, 441823350000, 51").await <= 2.0 * PAGE);
}
