//! Somebody with a small token, or none, attacks; a good client does not notice.

use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};
use tongxin_platform::testing::eventually;
use tongxin_tests::{
    Clients, Program,
    attacks::{self, Attack, CITY, Good, LIMITS, Meanwhile, Target, lay_ground},
};

use crate::support::data_folder;

/// How long each attack goes on after it was first turned away.
const FOR: Duration = Duration::from_secs(3);

/// Until when it has to be turned away.
const TURNED_AWAY_WITHIN: Duration = Duration::from_secs(30);

/// What the program may need besides under any attack, in KiB.
const MEMORY_KIB: u64 = 400 << 10;

/// The program that is attacked by all tests here, one after another.
struct Attacked {
    folder: TempDir,
    program: Program,
    clients: Clients,
    target: Target,
    turn: Mutex<()>,
}

async fn attacked() -> &'static Attacked {
    static ATTACKED: OnceCell<Attacked> = OnceCell::const_new();
    let start = || async {
        let folder = data_folder();
        let mut program = Program::start(folder.path(), &["--limits", LIMITS]).unwrap();
        let instance = program.instance().await.unwrap();
        let clients = Clients::of(&instance).unwrap();
        lay_ground(&clients).await.unwrap();
        eventually("the register is known to all", || async { clients.scorecard(CITY, None).await.is_ok() }).await;
        let target = Target::new(&instance.gateway, folder.path().to_owned());
        Attacked { folder, program, clients, target, turn: Mutex::new(()) }
    };
    ATTACKED.get_or_init(start).await
}

impl Attacked {
    /// Attacks until the attacker was turned away, and some seconds more.
    async fn under(&self, attack: Attack) -> Meanwhile {
        let _turn = self.turn.lock().await;
        // Who was attacked before may still be busy with it.
        eventually("all is quiet", || async { self.clients.scorecard(CITY, None).await.is_ok() }).await;
        self.program.forget_peak().unwrap();
        let before = self.program.memory_kib().unwrap();
        let good = Good::begin(&self.clients, CITY);
        let running = attack.begin(&self.target);
        let began = Instant::now();
        while attack.is_refused && running.tally().turned_away() == 0 && began.elapsed() < TURNED_AWAY_WITHIN {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(FOR).await;
        let met = good.end().await.unwrap();
        let tally = running.end().await.unwrap();
        let more = self.program.peak_memory_kib().unwrap().saturating_sub(before);
        let what = format!("{attack:?}: {} begun, {} turned away", tally.begun(), tally.turned_away());
        assert!(tally.begun() > 0 && (tally.turned_away() > 0 || !attack.is_refused), "{what}");
        assert!(more < MEMORY_KIB, "{what}: {more} KiB more");
        assert!(
            met.failures.is_empty(),
            "{what}: {} of {}: {:?}",
            met.failures.len(),
            met.times.len(),
            met.failures.first()
        );
        assert!(met.times.len() > 4, "{what}: only {} good calls", met.times.len());
        met
    }
}

macro_rules! stands {
    ($($test:ident: $attack:ident;)*) => {
        $(#[tokio::test]
        async fn $test() {
            attacked().await.under(attacks::$attack).await;
        })*
    };
}

stands! {
    requests_that_break_hundreds_of_rules_harm_nobody: VIOLATIONS;
    sixty_four_json_bodies_of_four_mebibytes_harm_nobody: LARGE_JSON;
    who_tries_id_numbers_is_stopped_and_harms_nobody: LOOK_UPS;
    streams_that_say_nothing_harm_nobody: SILENT_STREAMS;
    many_tokens_of_one_subject_have_one_share: ONE_SUBJECT;
    streams_that_send_a_byte_now_and_then_harm_nobody: TRICKLE;
    envelopes_that_come_byte_by_byte_harm_nobody: TRICKLE_IN_CONNECT;
    json_bodies_that_do_not_go_on_harm_nobody: SLOW_JSON;
    answers_that_nobody_reads_harm_nobody: UNREAD;
    streams_of_answers_that_nobody_reads_harm_nobody: UNREAD_IN_CONNECT;
    answers_that_are_read_byte_by_byte_harm_nobody: SIPPED;
    watches_without_a_token_harm_nobody: WATCHES;
    connections_that_make_no_call_harm_nobody: IDLE;
    sockets_that_say_nothing_harm_nobody: SILENT_SOCKETS;
    half_heads_harm_nobody: HALF_HEADS;
    calls_that_are_given_up_at_once_harm_nobody: RAPID_RESET;
    floods_of_pings_and_settings_harm_nobody: PINGS;
    headers_that_do_not_end_harm_nobody: CONTINUATIONS;
}

#[tokio::test]
async fn long_paths_harm_nobody_and_do_not_fill_the_log() {
    let attacked = attacked().await;
    let log = || std::fs::metadata(attacked.folder.path().join("tongxin.log")).map_or(0, |file| file.len());
    let before = log();
    attacked.under(attacks::LONG_PATHS).await;
    // Each of hundreds of calls has a line or none, and none has its path.
    let said = std::fs::read_to_string(attacked.folder.path().join("tongxin.log")).unwrap_or_default();
    assert!(!said.contains(&"x".repeat(1_000)), "a path stands in the log, which grew by {} bytes", log() - before);
}
