//! What Postgres is told on its command line.

use std::fs;

const EVERYWHERE: [&str; 8] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    // Compiling takes longer than our queries.
    "jit=off",
    // A load fills empty tables within seconds: plans should follow as soon.
    "autovacuum_naptime=5s",
    "max_connections=200",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=%m [%p] %u@%d ",
];

/// The folder does not outlive the server, let alone a power cut.
const TEMPORARY: [&str; 4] = ["shared_buffers=64MB", "fsync=off", "synchronous_commit=off", "full_page_writes=off"];

/// Bulk loads write much: fewer checkpoints, and room for them. New pages go to the disk as they come: the kernel would
/// keep them for half a minute and then write them all the time, so that a load slows down. After a checkpoint each page is
/// written whole once more; the default would spend a tenth of a millisecond on pressing it together.
const LASTING: [&str; 4] =
    ["max_wal_size=4GB", "checkpoint_timeout=15min", "wal_compression=lz4", "backend_flush_after=2MB"];

/// For a folder that is removed in the end.
pub(crate) fn temporary() -> Vec<String> {
    EVERYWHERE.into_iter().chain(TEMPORARY).map(str::to_owned).collect()
}

/// For a folder that stays.
pub(crate) fn lasting() -> Vec<String> {
    let buffers = format!("shared_buffers={}MB", buffer_mib(memory_mib()));
    EVERYWHERE.into_iter().chain(LASTING).map(str::to_owned).chain([buffers]).collect()
}

/// The share of the machine's memory that Postgres may fill with pages: an eighth, within bounds.
fn buffer_mib(memory_mib: u64) -> u64 {
    (memory_mib / 8).clamp(128, 8192)
}

/// Memory of this machine, or of the container that this is; none where the kernel does not tell.
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
