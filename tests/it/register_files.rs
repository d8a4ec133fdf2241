//! Files with a register of regions, as somebody brings them.

use tongxin_tests::output;

use crate::{
    support::{GUANGDONG, shared},
    tables::sql,
};

const HEADER: &str = "code,name,level,parent_code,assisted\n";

/// A city that the sample year does not have.
const CITY: &str = "440200000000,韶关市,city,440000000000,0\n";
const COUNTY: &str = "440203000000,武江区,county,440200000000,0\n";

/// Imports a file of some bytes, and returns the exit code with what was printed and said.
async fn import(bytes: &[u8]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("regions.csv");
    std::fs::write(&file, bytes).unwrap();
    let arguments = ["import", "regions", file.to_str().unwrap(), "--effective-from", "2021-01-01"];
    let imported = output(&arguments, shared().await.data_dir()).await.unwrap();
    let [printed, said] = [imported.stdout, imported.stderr].map(|text| String::from_utf8(text).unwrap());
    (imported.status.code(), printed, said)
}

async fn registered() -> [i64; 3] {
    let instance = &shared().await.instance;
    let mut counts = [0; 3];
    for (count, table) in counts.iter_mut().zip(["region", "assistance", "region_import"]) {
        *count = sql(instance, "pairing", GUANGDONG, &format!("SELECT count(*) FROM {table}")).await;
    }
    counts
}

#[tokio::test]
async fn a_register_is_taken_as_a_whole_or_refused_with_the_row_and_what_to_do() {
    let good = [HEADER, CITY, COUNTY].concat();
    let half = good.as_bytes().split_at(good.len() - 30).0;
    let mut mixed = [HEADER, CITY].concat().into_bytes();
    // 武江区 in GBK, as a spreadsheet appends it.
    mixed.extend(b"440203000000,\xce\xe4\xbd\xad\xc7\xf8,county,440200000000,0\n");
    let long = [HEADER, CITY, "440203000000,", "\"", &"武".repeat(100_000), ",county,440200000000,0\n"].concat();
    let long_name = [HEADER, CITY, "440203000000,", &"武".repeat(101), ",county,440200000000,0\n"].concat();
    let twice = [HEADER, CITY, COUNTY, CITY].concat();
    let orphan = [HEADER, COUNTY].concat();

    let before = registered().await;
    for (bytes, parts) in [
        (&b""[..], &["the file is empty. Nothing was sent"][..]),
        (HEADER.as_bytes(), &["has a header, but no rows"]),
        (half, &["is it only half there? Nothing was sent"]),
        (twice.as_bytes(), &["line 4, column code: states the same as line 2 already does. Nothing was sent"]),
        (long.as_bytes(), &["line 3: more than 262144 bytes in one line", "is a quotation mark not closed?"]),
        (long_name.as_bytes(), &["line 3, column name: ", "101 characters, 100 are allowed. Nothing was sent"]),
        (orphan.as_bytes(), &["nothing was taken", "line 2: the parent 440200000000 is not registered"]),
        (&mixed, &["line 3: is not text in UTF-8", "save the file as CSV UTF-8"]),
    ] {
        let (code, printed, said) = import(bytes).await;
        assert_eq!((code, printed.as_str()), (Some(1), ""), "{said}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
        assert_eq!(registered().await, before, "{said}");
    }

    let [regions, assisted, set_aside] = before;
    // The same file once more is the same request, and has the same answer.
    for _ in 0..2 {
        let (code, printed, said) = import(good.as_bytes()).await;
        assert!(code == Some(0) && printed.contains("2 regions: 2 new"), "{printed}{said}");
        assert_eq!(registered().await, [regions + 2, assisted, set_aside]);
    }
}
