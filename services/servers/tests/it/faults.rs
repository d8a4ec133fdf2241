//! A server that dies, loses its data or is stopped.

use std::{fs, time::Duration};

use rustix::process::Signal;
use tokio::time::timeout;
use tongxin_servers::{Nats, Servers, ServersConfig, State};

use crate::support::{folder, is_alive, nats_answers, pid, postgres_answers, signal};

#[tokio::test]
async fn a_killed_server_comes_back_at_the_same_address() {
    let servers = Servers::temporary().await.unwrap();
    let (postgres, nats) = (servers.postgres(), servers.nats());
    let (postgres_url, nats_url) = (postgres.url("postgres"), nats.url());

    for _ in 0..2 {
        let (old_postgres, old_nats) = (pid(postgres.state()), pid(nats.state()));
        signal(old_postgres, Signal::KILL);
        signal(old_nats, Signal::KILL);
        postgres.restarted(old_postgres).await;
        nats.restarted(old_nats).await;
        assert!(postgres_answers(postgres).await);
        assert!(nats_answers(nats).await);
    }
    assert_eq!((postgres.url("postgres"), nats.url()), (postgres_url, nats_url));
}

#[tokio::test]
async fn a_nats_server_without_its_store_starts_empty() {
    let nats = Nats::temporary().await.unwrap();
    let before = pid(nats.state());
    fs::remove_dir_all(nats.store_dir()).unwrap();
    timeout(Duration::from_secs(10), nats.restarted(before)).await.expect("it should notice");
    assert!(nats.store_dir().exists());
    assert!(nats_answers(&nats).await);
}

#[tokio::test]
async fn a_halted_server_stays_away_until_it_is_resumed() {
    let nats = Nats::temporary().await.unwrap();
    nats.halt().await;
    assert_eq!(nats.state(), State::Halted);
    assert!(!nats_answers(&nats).await);
    nats.resume().await;
    assert!(nats_answers(&nats).await);
}

#[tokio::test]
async fn stopping_leaves_no_process_and_a_clean_cluster() {
    let folder = folder();
    let servers = Servers::start(&ServersConfig::new(folder.path())).await.unwrap();
    let pids = [pid(servers.postgres().state()), pid(servers.nats().state())];
    let nats_url = servers.nats().url();
    servers.stop().await;
    assert!(!pids.into_iter().any(is_alive));

    let servers = Servers::start(&ServersConfig::new(folder.path())).await.unwrap();
    assert_eq!(servers.nats().url(), nats_url);
    let log = fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(!log.contains("was not properly shut down"), "{log}");
}

#[tokio::test]
async fn dropping_leaves_no_process_and_no_folder() {
    let servers = Servers::temporary().await.unwrap();
    let pids = [pid(servers.postgres().state()), pid(servers.nats().state())];
    let folder = servers.postgres().data_dir().to_owned();
    drop(servers);
    assert!(!pids.into_iter().any(is_alive));
    assert!(!folder.exists());
}
