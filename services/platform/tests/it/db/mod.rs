//! Cancelled transactions, regions, and the role that services log in as.

mod limits;
mod region;
mod transaction;

use sqlx::PgPool;

use crate::support::{database, migrations, owner};
use tongxin_platform::db::{DbConfig, DbError, SchemaBehind, connect, open};
use tongxin_platform::{error::chain, request::RequestError, testing::Database};

async fn app(database: &Database) -> PgPool {
    connect(&DbConfig::at(&database.app_url)).await.unwrap()
}

#[tokio::test]
async fn a_role_that_rules_do_not_bind_is_refused() {
    let database = database().await;
    let refused = connect(&DbConfig::at(&database.owner_url)).await.unwrap_err();
    assert!(matches!(refused, DbError::RoleTooStrong(_)), "{refused}");
    app(&database).await;
}

#[tokio::test]
async fn a_schema_that_lacks_a_migration_is_told_of() {
    let database = database().await;
    let mut owner = owner(&database).await;
    migrations().check(&mut owner).await.unwrap();
    assert_eq!(migrations().run(&mut owner).await.unwrap(), 0);

    let forgotten = sqlx::query("DELETE FROM _sqlx_migrations").execute(&mut owner).await.unwrap().rows_affected();
    let behind = migrations().check(&mut owner).await.unwrap_err();
    assert!(matches!(behind, SchemaBehind::Behind(missing) if missing as u64 == forgotten), "{behind}");
}

/// Operators search for an error by it; transparent wrappers hide the error from its chain.
#[tokio::test]
async fn what_postgres_refuses_is_logged_with_its_sqlstate() {
    let database = database().await;
    let pool = app(&database).await;
    let refused = async || sqlx::query("SELECT 1 / 0").execute(&pool).await.unwrap_err();
    let (bare, wrapped) = (refused().await, RequestError::from(refused().await));
    for error in [chain(&bare), chain(&wrapped)] {
        assert!(error.contains("division by zero") && error.ends_with("[SQLSTATE 22012]"), "{error}");
    }
}
