//! Who has a data folder, and what becomes of the servers when that one is gone.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, chown},
    path::Path,
    time::Duration,
};

use tokio::time::{sleep, timeout};
use tongxin_servers::{Nats, Postgres, Servers, ServersConfig, ServersError};

use crate::support::{
    Owner, arguments, as_owner_of, eventually, folder, is_alive, nats_answers, pid, postgres_answers, url_answers,
};

#[tokio::test]
async fn a_folder_has_one_owner() {
    let folder = folder();
    let config = ServersConfig::new(folder.path());
    let _first = Nats::start(&config).await.unwrap();
    let second = Nats::start(&config).await.unwrap_err();
    let ServersError::InUse { owner, .. } = &second else {
        panic!("{second}");
    };
    assert_eq!(*owner, std::process::id().to_string());
    assert!(second.to_string().contains("already in use by process"));
}

#[tokio::test]
async fn servers_that_nobody_drops_leave_no_folder_when_their_process_ends() {
    let owner = Owner::start(None);
    let folder = owner.folder.clone();
    owner.end();
    eventually("the folder is removed", || !folder.exists()).await;
}

#[tokio::test]
async fn servers_of_a_killed_owner_end_by_themselves() {
    let folder = folder();
    let owner = Owner::start(Some(folder.path()));
    let pids = owner.pids;
    owner.kill();
    eventually("both servers end", || !pids.into_iter().any(is_alive)).await;
}

#[tokio::test]
async fn a_folder_of_a_killed_owner_can_be_used_at_once() {
    let folder = folder();
    let owner = Owner::start(Some(folder.path()));
    let pids = owner.pids;
    owner.kill();

    let servers = Servers::start(&ServersConfig::new(folder.path())).await.unwrap();
    assert!(!pids.into_iter().any(is_alive));
    assert!(postgres_answers(servers.postgres()).await);
    assert!(nats_answers(servers.nats()).await);
}

#[tokio::test]
async fn servers_that_do_not_end_by_themselves_are_stopped() {
    let folder = folder();
    let config = ServersConfig::new(folder.path());
    let servers = Servers::start(&config).await.unwrap();
    let (cluster, socket_dir) = (folder.path().join("postgres"), servers.postgres().socket_dir().to_owned());
    let url = servers.postgres().url("postgres");
    let [postgres, nats] = [servers.postgres().state(), servers.nats().state()].map(|state| arguments(pid(state)));
    servers.stop().await;

    // The same programs once more, but nobody tells them when we end.
    make_socket_dir(&socket_dir, &cluster);
    let [mut postgres, mut nats] = [as_owner_of(&cluster, &postgres), as_owner_of(folder.path(), &nats)]
        .map(|mut command| command.spawn().unwrap());
    while !url_answers(&url).await {
        sleep(Duration::from_millis(10)).await;
    }

    let servers = Servers::start(&config).await.unwrap();
    assert!(postgres_answers(servers.postgres()).await);
    assert!(nats_answers(servers.nats()).await);
    let moment = Duration::from_secs(1);
    timeout(moment, postgres.wait()).await.expect("the old Postgres should be gone").unwrap();
    timeout(moment, nats.wait()).await.expect("the old NATS should be gone").unwrap();
}

#[tokio::test]
async fn a_stale_process_id_of_a_stranger_does_no_harm() {
    let folder = folder();
    let config = ServersConfig::new(folder.path());
    let postgres = Postgres::start(&config).await.unwrap();
    let (cluster, socket_dir) = (folder.path().join("postgres"), postgres.socket_dir().to_owned());
    postgres.stop().await;

    make_socket_dir(&socket_dir, &cluster);
    // Postgres fears those of its own user.
    let mut stranger = as_owner_of(&cluster, &["sleep", "60"].map(str::to_owned)).spawn().unwrap();
    let stale = format!("{}\n{}\n0\n5432\n", stranger.id().unwrap(), cluster.display());
    for lock in [cluster.join("postmaster.pid"), socket_dir.join(".s.PGSQL.5432.lock")] {
        fs::write(lock, &stale).unwrap();
    }
    let postgres = Postgres::start(&config).await.unwrap();
    assert!(postgres_answers(&postgres).await);
    assert!(stranger.try_wait().unwrap().is_none(), "we stopped a stranger");
    stranger.kill().await.unwrap();
}

/// Goes when Postgres stops.
fn make_socket_dir(path: &Path, cluster: &Path) {
    let owner = fs::metadata(cluster).unwrap();
    DirBuilder::new().mode(0o700).create(path).unwrap();
    chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
}
