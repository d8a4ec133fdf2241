//! Command-line settings of Postgres.

use std::{fs, path::Path};

use crate::{child, user::User};

const EVERYWHERE: [&str; 8] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    // Compiling takes longer than our queries.
    "jit=off",
    // A load fills empty tables within seconds; statistics should follow as quickly.
    "autovacuum_naptime=5s",
    "max_connections=200",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=%m [%p] %u@%d ",
];

/// The folder does not outlive the server, so it need not survive a power failure.
const TEMPORARY: [&str; 4] = ["shared_buffers=64MB", "fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// Bulk loads write a lot: fewer checkpoints, and disk space for them. New pages are written immediately: the kernel
/// would collect them for half a minute and then write constantly, which slows a load down.
const LASTING: [&str; 3] = ["max_wal_size=4GB", "checkpoint_timeout=15min", "backend_flush_after=2MB"];

/// Compression of pages in the write-ahead log, fastest first. Not every build supports these.
const COMPRESSIONS: [&str; 2] = ["wal_compression=lz4", "wal_compression=zstd"];
/// Takes 0.1 ms per page.
const COMPRESSION_OF_EVERY_BUILD: &str = "wal_compression=pglz";

/// For a folder that is removed at the end.
pub(crate) fn temporary() -> Vec<String> {
    EVERYWHERE.into_iter().chain(TEMPORARY).map(str::to_owned).collect()
}

/// For a permanent folder, with the compression that this build of Postgres supports.
pub(crate) async fn lasting(postgres: &Path, cluster: &Path, user: Option<&User>) -> Vec<String> {
    // After each checkpoint, the first change of a page logs the whole page.
    let compression = best_compression(postgres, cluster, user).await;
    let buffers = format!("shared_buffers={}MB", buffer_mib(memory_mib()));
    let fixed = EVERYWHERE.into_iter().chain(LASTING).chain([compression]).map(str::to_owned);
    fixed.chain([buffers]).collect()
}

async fn best_compression(postgres: &Path, cluster: &Path, user: Option<&User>) -> &'static str {
    for compression in COMPRESSIONS {
        // Postgres reads its settings, prints this one, and ends; with an error if the value is not supported.
        let mut question = child::command(postgres, "KILL", user);
        question.arg("-D").arg(cluster).args(["-c", compression, "-C", "wal_compression"]);
        if question.output().await.is_ok_and(|answer| answer.status.success()) {
            return compression;
        }
    }
    COMPRESSION_OF_EVERY_BUILD
}

/// Shared buffers: an eighth of the machine's memory, within bounds.
fn buffer_mib(memory_mib: u64) -> u64 {
    (memory_mib / 8).clamp(128, 8192)
}

/// Memory of this machine or container; 0 if the kernel does not report it.
fn memory_mib() -> u64 {
    let granted = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|most| most.trim().parse::<u64>().ok());
    granted.map_or(u64::MAX, |bytes| bytes >> 20).min(total_mib())
}

fn total_mib() -> u64 {
    let told = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = told.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

#[tokio::test]
async fn a_build_that_refuses_a_compression_gets_another() {
    let cluster = Path::new("/nowhere");
    assert_eq!(best_compression(Path::new("/bin/true"), cluster, None).await, "wal_compression=lz4");
    assert_eq!(best_compression(Path::new("/bin/false"), cluster, None).await, "wal_compression=pglz");
}
