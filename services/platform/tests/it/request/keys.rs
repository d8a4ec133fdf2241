//! Without the key, the stored form of a request reveals nothing.

use std::{collections::BTreeMap, fs, path::PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::support::Count;
use tongxin_platform::{
    error::{ErrorKind, chain},
    personal::KeyVersion,
};

/// Key files by version.
struct Files {
    folder: TempDir,
}

impl Files {
    fn of(&self, versions: &[u32]) -> RequestKeys {
        let file = |version: &u32| -> (KeyVersion, PathBuf) {
            let path = self.folder.path().join(version.to_string());
            fs::write(&path, format!("{version:064x}")).unwrap();
            (KeyVersion::new(*version).unwrap(), path)
        };
        RequestKeys::load(&versions.iter().map(file).collect::<BTreeMap<_, _>>(), None).unwrap()
    }
}

fn files() -> Files {
    Files { folder: tempfile::tempdir().unwrap() }
}

async fn writer_with(database: &Database, keys: RequestKeys) -> Writer<()> {
    let pool = db::connect(&DbConfig::at(&database.app_url)).await.unwrap();
    Writer::new(pool, Clock::fixed(noon()), RelayWake::default(), keys, ())
}

fn ask(request_id: Uuid) -> (Call, Count) {
    let message = CountRequest { request_id: request_id.to_string(), tally_id: "wells".to_owned(), by: 1 };
    let (call, message) = open(&clerk("clerk"), "/Count", message).unwrap();
    (call, count(&message.tally_id, message.by))
}

async fn reached(writer: &Writer<()>, request_id: Uuid) -> i64 {
    let (call, command) = ask(request_id);
    writer.execute::<_, CountResponse>(call, command).await.unwrap().reached
}

async fn kept(database: &Database) -> Vec<(i64, Vec<u8>)> {
    let mut owner = crate::support::owner(database).await;
    let rows = "SELECT key_version, fingerprint FROM request ORDER BY key_version, fingerprint";
    sqlx::query_as(rows).fetch_all(&mut owner).await.unwrap()
}

#[tokio::test]
async fn the_fingerprint_of_a_request_cannot_be_made_without_the_key() {
    let (one, other) = (database().await, database().await);
    let request_id = Uuid::new_v4();
    let files = files();
    for (database, version) in [(&one, 1), (&other, 2)] {
        assert_eq!(reached(&writer_with(database, files.of(&[version])).await, request_id).await, 1);
    }
    let message = CountRequest { request_id: request_id.to_string(), tally_id: "wells".to_owned(), by: 1 };
    let content = prost::Message::encode_to_vec(&message);
    let bare = Sha256::digest([b"/Count\0".as_slice(), &content].concat()).to_vec();
    let [one, other] = [kept(&one).await, kept(&other).await];
    assert_eq!((one[0].0, other[0].0), (1, 2));
    assert!(one[0].1 != bare && other[0].1 != bare, "a hash of what was asked, which anybody can try");
    assert_ne!(one[0].1, other[0].1, "another key, another fingerprint");
    assert_ne!(one[0].1, Sha256::digest(bare).to_vec());
}

#[tokio::test]
async fn a_request_is_known_again_after_a_new_key_came() {
    let (database, files) = (database().await, files());
    let [before, after] = [Uuid::new_v4(), Uuid::new_v4()];
    assert_eq!(reached(&writer_with(&database, files.of(&[1])).await, before).await, 1);
    let both = writer_with(&database, files.of(&[1, 2])).await;
    assert_eq!((reached(&both, before).await, reached(&both, after).await, reached(&both, after).await), (1, 2, 2));
    let versions: Vec<i64> = kept(&database).await.into_iter().map(|(version, _)| version).collect();
    assert_eq!(versions, [1, 2]);

    let (mut call, command) = ask(before);
    call.digest[0] ^= 1;
    let refused = both.execute::<_, CountResponse>(call, command).await.unwrap_err();
    assert_eq!(refused.stated().reason, "REQUEST_ID_REUSED", "another request under the older key");
}

#[tokio::test]
async fn a_request_of_a_key_that_is_gone_is_not_carried_out_again() {
    let (database, files, request_id) = (database().await, files(), Uuid::new_v4());
    assert_eq!(reached(&writer_with(&database, files.of(&[1])).await, request_id).await, 1);
    let (call, command) = ask(request_id);
    let failed = writer_with(&database, files.of(&[2])).await.execute::<_, CountResponse>(call, command).await;
    let failed = failed.unwrap_err();
    assert_eq!(failed.stated().kind, ErrorKind::Internal);
    assert!(chain(&failed).contains("request key version 1 is not loaded"), "{}", chain(&failed));
    assert_eq!(effects(&database).await, (1, 1, 1));
}
