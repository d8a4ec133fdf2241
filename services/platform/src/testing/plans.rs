//! What the plans of a service's statements read. Looks at rows, not at time.
//!
//! Plans are those that connections of the service get: planned once, for whatever values.

use std::{fs, path::Path};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::Database;
use crate::region::RegionRange;

/// The statements of a crate, planned for a caller who sees a range of regions.
pub struct Plans {
    statements: Vec<String>,
    range: RegionRange,
    conn: PgConnection,
}

impl Plans {
    /// The statements in the folder `.sqlx` of a crate.
    ///
    /// # Panics
    /// When the folder cannot be read, or Postgres not be reached.
    pub async fn of(crate_folder: &str, database: &Database, range: RegionRange) -> Self {
        let files = fs::read_dir(Path::new(crate_folder).join(".sqlx")).unwrap();
        let statement =
            |text: String| serde_json::from_str::<Value>(&text).unwrap()["query"].as_str().unwrap().to_owned();
        let statements = files.map(|file| statement(fs::read_to_string(file.unwrap().path()).unwrap())).collect();
        Self { statements, range, conn: PgConnection::connect(&database.app_url).await.unwrap() }
    }

    /// How many rows the one statement that contains a text reads from tables, when it is run with some values.
    ///
    /// # Panics
    /// When there is no such statement or several, it reads nothing, or Postgres fails.
    pub async fn rows_read(&mut self, of: &str, values: &str) -> f64 {
        let found: Vec<_> = self.statements.iter().filter(|statement| statement.contains(of)).collect();
        assert_eq!(found.len(), 1, "statements that contain {of:?}: {found:#?}");
        let RegionRange { from, until } = self.range;
        let begin = format!(
            "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL random_page_cost = 1.1;
             SET LOCAL tongxin.region_from = {from}; SET LOCAL tongxin.region_until = {until};
             PREPARE asked AS {}",
            found[0]
        );
        let mut tx = self.conn.begin().await.unwrap();
        tx.execute(AssertSqlSafe(begin)).await.unwrap();
        let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked({values})");
        let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&mut *tx).await.unwrap();
        tx.execute("DEALLOCATE asked").await.unwrap();
        tx.rollback().await.unwrap();
        let mut read = 0.0;
        add_up(&plan[0]["Plan"], &mut read);
        println!("{of}({values}): {read} rows\n{plan:#}");
        assert!(read > 0.0, "the plan reads nothing: {plan:#}");
        read
    }
}

fn add_up(node: &Value, read: &mut f64) {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    if node["Relation Name"].is_string() {
        let rows = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        *read += rows * number("Actual Loops");
    }
    node["Plans"].as_array().into_iter().flatten().for_each(|inner| add_up(inner, read));
}
