//! The connection to Postgres breaks at the commit.

use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
};

use super::*;
use tongxin_platform::{
    error::ErrorKind,
    testing::{Database, servers},
};

/// Where the connection breaks at the next commit.
#[derive(Clone, Copy, Default)]
enum Cut {
    #[default]
    Nowhere,
    /// Postgres does not receive the commit.
    Before,
    /// Postgres commits, but the acknowledgement is lost.
    After,
    /// As `After`, and from then on Postgres is gone.
    AfterForGood,
    /// No connection can be opened.
    Gone,
}

/// A proxy between a service and Postgres.
struct Wire {
    cut: Arc<Mutex<Cut>>,
    folder: TempDir,
}

impl Wire {
    async fn to_postgres() -> Self {
        let (cut, folder) = (Arc::new(Mutex::new(Cut::Nowhere)), TempDir::new().unwrap());
        let socket = std::fs::read_dir(servers().await.postgres().socket_dir()).unwrap();
        let socket =
            socket.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_none_or(|end| end != "lock"));
        let socket = socket.unwrap();
        let listener = UnixListener::bind(folder.path().join(socket.file_name().unwrap())).unwrap();
        tokio::spawn({
            let cut = Arc::clone(&cut);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    if !matches!(*cut.lock().unwrap(), Cut::Gone) {
                        let server = UnixStream::connect(&socket).await.unwrap();
                        tokio::spawn(pass(client, server, Arc::clone(&cut)));
                    }
                }
            }
        });
        Self { cut, folder }
    }

    fn cut(&self, cut: Cut) {
        *self.cut.lock().unwrap() = cut;
    }

    /// The database's URL through this proxy.
    fn url(&self, database: &Database) -> String {
        let (begin, rest) = database.app_url.split_once("host=").unwrap();
        let (_, end) = rest.split_once('&').unwrap();
        format!("{begin}host={}&{end}", self.folder.path().display())
    }
}

async fn pass(mut client: UnixStream, mut server: UnixStream, cut: Arc<Mutex<Cut>>) -> std::io::Result<()> {
    let (mut asked, mut answered) = ([0; 8192], [0; 8192]);
    loop {
        tokio::select! {
            length = client.read(&mut asked) => {
                let asked = &asked[..length?];
                if asked.is_empty() {
                    return Ok(());
                }
                let commits = asked.windows(7).any(|bytes| bytes == b"COMMIT\0");
                match if commits { here(&cut) } else { Cut::Nowhere } {
                    Cut::Nowhere => server.write_all(asked).await?,
                    Cut::Before | Cut::Gone => return Ok(()),
                    Cut::After | Cut::AfterForGood => {
                        server.write_all(asked).await?;
                        assert_ne!(server.read(&mut answered).await?, 0, "Postgres does not answer");
                        return Ok(());
                    }
                }
            }
            length = server.read(&mut answered) => match length? {
                0 => return Ok(()),
                length => client.write_all(&answered[..length]).await?,
            }
        }
    }
}

/// Where the connection breaks now; the next ones work, unless Postgres is gone.
fn here(cut: &Mutex<Cut>) -> Cut {
    let mut cut = cut.lock().unwrap();
    let next = if matches!(*cut, Cut::AfterForGood) { Cut::Gone } else { Cut::Nowhere };
    std::mem::replace(&mut *cut, next)
}

/// A writer whose connections can be cut.
async fn cuttable() -> (Database, Wire, Writer<()>) {
    let (database, wire) = (database().await, Wire::to_postgres().await);
    let mut config = DbConfig::at(wire.url(&database));
    (config.max_connections, config.acquire_seconds) = (1, 1);
    let pool = db::connect(&config).await.unwrap();
    (database, wire, Writer::new(pool, Clock::fixed(noon()), RelayWake::default(), RequestKeys::for_tests(), ()))
}

#[tokio::test]
async fn a_change_whose_commit_never_arrived_is_not_made_and_can_be_asked_for_again() {
    let (database, wire, writer) = cuttable().await;
    let call = new_call();
    wire.cut(Cut::Before);
    let failed = writer.execute::<_, CountResponse>(call.clone(), count("wells", 1)).await.unwrap_err();
    assert_eq!(failed.stated().kind, ErrorKind::Unavailable, "{failed}");
    assert_eq!(effects(&database).await, (0, 0, 0));
    let counted: CountResponse = writer.execute(call, count("wells", 1)).await.unwrap();
    assert_eq!(counted.reached, 1);
    assert_eq!(effects(&database).await, (1, 1, 1));
}

#[tokio::test]
async fn a_change_whose_commit_was_not_heard_of_is_answered_all_the_same() {
    let (database, wire, writer) = cuttable().await;
    wire.cut(Cut::After);
    let counted: CountResponse = writer.execute(new_call(), count("wells", 1)).await.unwrap();
    assert_eq!(counted.reached, 1);
    assert_eq!(effects(&database).await, (1, 1, 1));
}

#[tokio::test]
async fn who_was_left_in_the_dark_learns_the_truth_with_the_same_request() {
    let (database, wire, writer) = cuttable().await;
    let call = new_call();
    wire.cut(Cut::AfterForGood);
    let unknown = writer.execute::<_, CountResponse>(call.clone(), count("wells", 1)).await.unwrap_err();
    assert_eq!(unknown.stated().kind, ErrorKind::Unavailable, "{unknown}");
    assert_eq!(effects(&database).await, (1, 1, 1));
    wire.cut(Cut::Nowhere);
    let counted: CountResponse = writer.execute(call, count("wells", 1)).await.unwrap();
    assert_eq!(counted.reached, 1);
    assert_eq!(effects(&database).await, (1, 1, 1));
}
