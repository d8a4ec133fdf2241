//! A register of the size of the whole country: imported from a file, and once more with nothing new.

use std::{
    fmt::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::ensure;
use sqlx::PgPool;
use tongxin_tests::output;

use super::{
    rounds::{Table, ratio},
    world::World,
};

/// Codes of provinces, without Guangdong, which is there.
const PROVINCES: std::ops::Range<usize> = 11..42;
const CITIES: usize = 11;
const COUNTIES: usize = 8;
const TOWNS: usize = 14;

/// Villages of a town; every third town has one more.
const VILLAGES: usize = 16;

const DAY: &str = "2021-01-01";

struct Row {
    code: String,
    level: &'static str,
    parent: String,
    assisted: bool,
}

/// 663,276 rows, parents first; the first town of each county is assisted.
fn rows() -> impl Iterator<Item = Row> {
    let code = |parts: [usize; 5]| {
        let [province, city, county, town, village] = parts;
        format!("{province:02}{city:02}{county:02}{town:03}{village:03}")
    };
    let row = move |level, parts: [usize; 5], parent: [usize; 5], assisted| Row {
        code: code(parts),
        level,
        parent: if parent[0] == 0 { String::new() } else { code(parent) },
        assisted,
    };
    let below_town = move |town: [usize; 5]| {
        let [province, city, county, number, _] = town;
        let villages = VILLAGES + usize::from(number % 3 == 0);
        (0..villages)
            .map(move |village| row("village", [province, city, county, number, 200 + village], town, number == 100))
    };
    let below_county = move |county: [usize; 5]| {
        let [province, city, number, ..] = county;
        (100..100 + TOWNS).flat_map(move |town| {
            let parts = [province, city, number, town, 0];
            std::iter::once(row("town", parts, county, town == 100)).chain(below_town(parts))
        })
    };
    let below_city = move |city: [usize; 5]| {
        let [province, number, ..] = city;
        (1..=COUNTIES).flat_map(move |county| {
            let parts = [province, number, county, 0, 0];
            std::iter::once(row("county", parts, city, false)).chain(below_county(parts))
        })
    };
    PROVINCES.flat_map(move |province| {
        let whole = [province, 0, 0, 0, 0];
        let cities = (1..=CITIES).flat_map(move |city| {
            let parts = [province, city, 0, 0, 0];
            std::iter::once(row("city", parts, whole, false)).chain(below_city(parts))
        });
        std::iter::once(row("province", whole, [0; 5], false)).chain(cities)
    })
}

pub async fn measure(world: &World, folder: &Path, table: &mut Table) -> anyhow::Result<()> {
    let file = folder.join("country.csv");
    let mut text = "code,name,level,parent_code,assisted\n".to_owned();
    for Row { code, level, parent, assisted } in rows() {
        writeln!(text, "{code},地区{code},{level},{parent},{}", u8::from(assisted))?;
    }
    let count = text.lines().count() - 1;
    std::fs::write(&file, text)?;

    world.program.forget_peak()?;
    let first = import(&file, folder, "first", &format!("{count} regions: {count} new, 0 changed")).await?;
    let again = import(&file, folder, "again", &format!("{count} regions: 0 new, 0 changed")).await?;
    let bare = copy(&world.bare).await?;
    table.rates(
        &format!("import of {count} regions from a file (bare: COPY of the same rows into the same table without its foreign key)"),
        ratio(count, first),
        ratio(count, bare),
    );
    table.note("the same again, nothing new", &format!("{:.0}/s", ratio(count, again)));
    let peak = world.program.peak_memory_kib()? / 1024;
    table.note("peak of the program's memory meanwhile", &format!("{peak} MiB"));
    Ok(())
}

/// As an edition that says where it comes from, which makes it one of its own.
async fn import(file: &Path, folder: &Path, source: &str, says: &str) -> anyhow::Result<Duration> {
    let file = file.to_string_lossy();
    let started = Instant::now();
    let import = ["import", "regions", &file, "--effective-from", DAY, "--source", source];
    let imported = output(&import, folder).await?;
    let took = started.elapsed();
    let said = String::from_utf8_lossy(&imported.stdout);
    ensure!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    ensure!(said.starts_with(says), "{said:?} is not {says:?}");
    Ok(took)
}

async fn copy(pool: &PgPool) -> anyhow::Result<Duration> {
    let mut conn = pool.acquire().await?;
    sqlx::query("CREATE TABLE bare_region (LIKE region INCLUDING ALL)").execute(&mut *conn).await?;
    let mut text = String::new();
    for Row { code, level, parent, .. } in rows() {
        let parent = if parent.is_empty() { "\\N" } else { &parent };
        writeln!(text, "{code}\t地区{code}\t{level}\t{parent}\t{DAY}\t00000000-0000-0000-0000-000000000000\t{DAY}")?;
    }
    let started = Instant::now();
    let columns = "region_code, name, level, parent_code, valid_from, edition, stated_from";
    let mut copy = conn.copy_in_raw(&format!("COPY bare_region ({columns}) FROM STDIN")).await?;
    copy.send(text.as_bytes()).await?;
    copy.finish().await?;
    Ok(started.elapsed())
}
