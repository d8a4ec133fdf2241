//! What the plans of a service's statements read. Looks at rows, not at time.
//!
//! Plans are those that connections of the service get: planned once, for whatever values. A connection keeps the plan that
//! it made, also one that it made while the tables were empty.

use std::{collections::HashSet, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::Database;
use crate::region::RegionRange;

/// The statements of a crate, planned for a caller who sees a range of regions.
pub struct Plans {
    statements: Vec<Statement>,
    prepared: HashSet<usize>,
    conn: PgConnection,
}

/// A statement as it was checked when the crate was compiled.
#[derive(Deserialize)]
struct Statement {
    query: String,
    describe: Described,
}

#[derive(Deserialize)]
struct Described {
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "Left")]
    types: Vec<Value>,
}

impl Plans {
    /// The statements in the folder `.sqlx` of a crate.
    ///
    /// # Panics
    /// When the folder cannot be read, or Postgres not be reached.
    pub async fn of(crate_folder: &str, database: &Database, range: RegionRange) -> Self {
        let files = fs::read_dir(Path::new(crate_folder).join(".sqlx")).unwrap();
        let statement = |text: String| serde_json::from_str::<Statement>(&text).unwrap();
        let statements = files.map(|file| statement(fs::read_to_string(file.unwrap().path()).unwrap()));
        // These have no plan.
        let statements = statements.filter(|statement| !statement.query.starts_with("SET ")).collect();

        let mut conn = PgConnection::connect(&database.app_url).await.unwrap();
        let RegionRange { from, until } = range;
        let session = format!(
            "SET plan_cache_mode = force_generic_plan; SET random_page_cost = 1.1;
             SET tongxin.region_from = {from}; SET tongxin.region_until = {until}"
        );
        conn.execute(AssertSqlSafe(session)).await.unwrap();
        Self { statements, prepared: HashSet::new(), conn }
    }

    /// Plans all statements, and keeps the plans until the tables that they read are analysed. Fails if a plan contains a full
    /// scan of a table or index, except for statements that contain one of `but_for`.
    ///
    /// # Panics
    /// When one does, when no statement that does contains one of the texts, or Postgres fails.
    pub async fn plan_all(&mut self, but_for: &[&str]) {
        let mut excused: HashSet<&str> = but_for.iter().copied().collect();
        let mut whole = Vec::new();
        for index in 0..self.statements.len() {
            let values = vec!["NULL"; self.statements[index].describe.parameters.types.len()].join(", ");
            let plan = match self.explain(index, "FORMAT JSON", &values).await {
                Ok(plan) => plan,
                // Only the owner of the tables runs it.
                Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501") => continue,
                Err(error) => panic!("{error}: {}", self.statements[index].query),
            };
            let mut read = Vec::new();
            add_whole(&plan, &mut read);
            let query = &self.statements[index].query;
            let excuse = but_for.iter().find(|text| query.contains(**text));
            match excuse {
                _ if read.is_empty() => {}
                Some(text) => {
                    excused.remove(text);
                }
                None => whole.push(format!("{read:?} of {query}")),
            }
        }
        assert!(whole.is_empty(), "statements read all of something:\n{}", whole.join("\n"));
        // From version 18 on, Postgres skips through an index that older versions read as a whole.
        let skips = "SELECT current_setting('server_version_num')::int >= 180000";
        let skips: bool = sqlx::query_scalar(skips).fetch_one(&mut self.conn).await.unwrap();
        assert!(skips || excused.is_empty(), "no statement that reads all of something contains {excused:?}");
    }

    /// How many rows the one statement that contains a text reads from tables, when it is run with some values.
    ///
    /// # Panics
    /// When there is no such statement or several, it reads nothing, or Postgres fails.
    pub async fn rows_read(&mut self, of: &str, values: &str) -> f64 {
        let found = |(_, statement): &(usize, &Statement)| statement.query.contains(of);
        let found: Vec<usize> = self.statements.iter().enumerate().filter(found).map(|(index, _)| index).collect();
        let [index] = found[..] else { panic!("{} statements contain {of:?}", found.len()) };
        let plan = self.explain(index, "ANALYZE, FORMAT JSON", values).await.unwrap();
        let mut read = 0.0;
        add_up(&plan, &mut read);
        println!("{of}({values}): {read} rows\n{plan:#}");
        assert!(read > 0.0, "the plan reads nothing: {plan:#}");
        read
    }

    /// The plan of a statement, by which nothing is changed.
    async fn explain(&mut self, index: usize, options: &str, values: &str) -> Result<Value, sqlx::Error> {
        if self.prepared.insert(index) {
            let prepare = format!("PREPARE asked_{index} AS {}", self.statements[index].query);
            self.conn.execute(AssertSqlSafe(prepare)).await?;
        }
        let values = if values.is_empty() { String::new() } else { format!("({values})") };
        let explain = format!("EXPLAIN ({options}) EXECUTE asked_{index}{values}");
        let mut tx = self.conn.begin().await?;
        let plan: Result<Value, _> = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&mut *tx).await;
        tx.rollback().await?;
        Ok(plan?[0]["Plan"].clone())
    }
}

/// Adds the tables and indexes that a plan reads whole.
fn add_whole(node: &Value, read: &mut Vec<String>) {
    let name = |of: &str| node[of].as_str().unwrap_or_default().to_owned();
    match node["Node Type"].as_str().unwrap_or_default() {
        "Seq Scan" => read.push(name("Relation Name")),
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" if node["Index Cond"].is_null() => {
            read.push(name("Index Name"));
        }
        _ => {}
    }
    node["Plans"].as_array().into_iter().flatten().for_each(|inner| add_whole(inner, read));
}

fn add_up(node: &Value, read: &mut f64) {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    if node["Relation Name"].is_string() {
        let rows = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        *read += rows * number("Actual Loops");
    }
    node["Plans"].as_array().into_iter().flatten().for_each(|inner| add_up(inner, read));
}
