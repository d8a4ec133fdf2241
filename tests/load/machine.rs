//! What makes the machine itself slower or faster while it is measured: neighbours on the same cores, by a third within
//! seconds, and memory that its host has yet to give it.

use std::{
    fs::File,
    hint::black_box,
    io::Read as _,
    path::Path,
    sync::{
        Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// Memory that is left alone, in KiB.
const LEFT_KIB: u64 = 1 << 20;

/// Fills the memory that is free with the pages of a file of holes. A virtual machine that touches memory for the first time
/// in a while gets it from its host, which took four times as long here: an import that grows into it would look as if it
/// slowed down. The pages stay until something else needs them, as those of other files do where a server has run for long.
pub fn take_memory(folder: &Path) -> anyhow::Result<()> {
    let told = std::fs::read_to_string("/proc/meminfo")?;
    let free = told.lines().find_map(|line| line.strip_prefix("MemFree:")?.trim().strip_suffix(" kB"));
    let kib = free.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0).saturating_sub(LEFT_KIB);
    let path = folder.join("holes");
    File::create(&path)?.set_len(kib << 10)?;
    let (mut holes, mut read) = (File::open(path)?, vec![0; 1 << 20]);
    while holes.read(&mut read)? > 0 {}
    Ok(())
}

/// How often it is looked at. A look takes some hundred microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Sorts the same numbers time after time, and measures how much of a core's time that takes: waiting for a core does
/// not count.
pub struct Machine {
    looks: Mutex<mpsc::Receiver<f64>>,
    /// The end of it ends the looks.
    _running: Sender<()>,
}

impl Machine {
    /// Looks at it from now on.
    pub fn watch() -> Self {
        let (running, ended) = mpsc::channel();
        let (found, looks) = mpsc::channel();
        thread::spawn(move || {
            let numbers: Vec<u64> = (1..=8_192).map(|number: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
            while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                let began = own_time();
                black_box(numbers.clone()).sort_unstable();
                if found.send(own_time() - began).is_err() {
                    break;
                }
            }
        });
        Self { looks: Mutex::new(looks), _running: running }
    }

    /// How often a second it could have sorted since it was asked last; of no time at all, it is not a number.
    pub fn speed(&self) -> f64 {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let (sorted, seconds) = looks.try_iter().fold((0.0, 0.0), |(sorted, sum), took| (sorted + 1.0, sum + took));
        sorted / seconds
    }
}

/// The time that this thread had on a core, in seconds.
fn own_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0)).as_secs_f64()
}
