//! Data folders and ports that cannot be used as they are.

use std::fs;

use tempfile::TempDir;
use tongxin_servers::{Nats, Postgres, ServersConfig};

use crate::support::{folder, postgres_answers};

#[tokio::test]
async fn a_long_path_moves_the_socket_away() {
    let folder = folder();
    let deep = folder.path().join("deep".repeat(30));
    let postgres = Postgres::start(&ServersConfig::new(&deep)).await.unwrap();
    assert!(!postgres.socket_dir().starts_with(&deep));
    assert!(postgres_answers(&postgres).await);

    let socket_dir = postgres.socket_dir().to_owned();
    postgres.stop().await;
    assert!(!socket_dir.exists());
}

#[tokio::test]
async fn postgres_runs_below_a_folder_that_its_user_cannot_enter() {
    // Closed to everybody but us.
    let closed = TempDir::new().unwrap();
    let data_dir = closed.path().join("data");
    let postgres = Postgres::start(&ServersConfig::new(&data_dir)).await.unwrap();
    assert!(postgres_answers(&postgres).await);
    postgres.stop().await;

    let postgres = Postgres::start(&ServersConfig::new(&data_dir)).await.unwrap();
    assert!(postgres_answers(&postgres).await);
    postgres.stop().await;
    // Run by root, it has a folder of its own elsewhere.
    if let Ok(cluster) = fs::read_link(data_dir.join("postgres")) {
        fs::remove_dir_all(cluster.parent().unwrap()).unwrap();
    }
}

#[tokio::test]
async fn a_taken_port_is_exchanged_for_another() {
    let folder = folder();
    let config = ServersConfig::new(folder.path());
    let first = Nats::start(&config).await.unwrap();
    let port = first.port();
    first.stop().await;

    let _stranger = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let second = Nats::start(&config).await.unwrap();
    assert_ne!(second.port(), port);
}
