//! A database for each test.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::sync::Mutex;

use super::servers;
use crate::{
    config::{AdminConfig, ServiceConfig},
    db::{DbConfig, Migrations},
    grpc::GrpcConfig,
    request::RequestKeyFiles,
};

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of a test's own.
#[derive(Clone)]
pub struct Database {
    /// For the role that owns the tables.
    pub owner_url: String,
    /// For the role that services log in as.
    pub app_url: String,
}

impl Database {
    /// Makes a database with an up-to-date schema, as a copy of a template that the test binary migrates once.
    ///
    /// # Panics
    /// When Postgres fails.
    pub async fn migrated(migrations: &Migrations) -> Self {
        static TEMPLATES: OnceLock<Mutex<HashMap<Vec<Vec<u8>>, String>>> = OnceLock::new();
        let mut templates = TEMPLATES.get_or_init(Mutex::default).lock().await;
        let copy = match templates.entry(migrations.checksums()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(migrated_template(migrations).await),
        };
        let copy = format!("TEMPLATE {copy}");
        drop(templates);
        Self::create(&copy).await
    }

    async fn create(how: &str) -> Self {
        let postgres = servers().await.postgres();
        let name = format!("test_{}", DATABASES.fetch_add(1, Relaxed));
        let mut superuser = PgConnection::connect(&postgres.url("postgres")).await.expect("Postgres answers");
        let create = format!("CREATE DATABASE {name} {how}");
        superuser.execute(sqlx::AssertSqlSafe(create)).await.expect("a database is made");
        Self { owner_url: postgres.url(&name), app_url: postgres.url_as("tongxin_app", &name) }
    }

    /// Makes sure that row-level security binds everybody, the owner too, in every table with a region.
    ///
    /// # Panics
    /// When it does not, naming the tables.
    pub async fn assert_regions_are_guarded(&self) {
        let question = "
            SELECT format('%I.%I', nspname, relname), relrowsecurity AND relforcerowsecurity
            FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid
            JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE attname = 'region_code' AND NOT attisdropped AND relkind IN ('r', 'p', 'f')
                AND nspname NOT IN ('pg_catalog', 'information_schema')
            ORDER BY 1";
        let mut owner = PgConnection::connect(&self.owner_url).await.expect("the owner connects");
        let tables: Vec<(String, bool)> = sqlx::query_as(question).fetch_all(&mut owner).await.expect("it has tables");
        assert!(!tables.is_empty(), "no table has a region");
        let open: Vec<_> = tables.iter().filter(|(_, guarded)| !guarded).map(|(table, _)| table).collect();
        assert!(open.is_empty(), "call restrict_to_region in the migrations of {open:?}");
    }

    /// Settings of a service on this database, with free ports.
    #[must_use]
    pub fn service_config(&self) -> ServiceConfig {
        ServiceConfig {
            database: DbConfig::at(&self.app_url),
            grpc: GrpcConfig::default(),
            admin: AdminConfig::default(),
            requests: RequestKeyFiles::default(),
        }
    }
}

async fn migrated_template(migrations: &Migrations) -> String {
    let template = Database::create("").await;
    let mut owner = PgConnection::connect(&template.owner_url).await.expect("the owner connects");
    migrations.run(&mut owner).await.expect("the migrations run");
    let name =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut owner).await.expect("it has a name");
    owner.close().await.expect("the owner leaves");
    name
}
