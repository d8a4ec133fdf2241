//! Screens the households of a region: several readers of one state judge them.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use chrono::NaiveDate;
use sqlx::{PgConnection, PgPool};
use tokio::sync::{Semaphore, mpsc};
use tongxin_platform::{db::Scope, region::RegionCode, request::RequestError};
use tracing::Instrument as _;

use super::count_elderly::count_elderly;
use crate::{
    domain::{
        HouseholdId, RuleSetId,
        observation::history_until,
        rule_set::RuleSet,
        screening::{Candidate, Hit, RuleBook, Tally, flags},
    },
    error::{Error, Refused},
    store::{
        profiles::{self, Filter, Snapshot},
        rule_sets,
    },
};

/// Villages that are looked over at once.
const PIECE_VILLAGES: usize = 50;

/// Households that are judged at once.
const JUDGED: usize = 1_000;

/// Hits after which a reader hands on what it has found before it is through with its villages.
const PART_HITS: usize = 1_000;

/// Parts that wait for the writer; readers wait while there are as many.
const PARTS_WAITING: usize = 4;

/// What a reader has found of some households.
#[derive(Debug, Default)]
pub struct Part {
    /// Counts.
    pub tally: Tally,
    /// The hits.
    pub hits: Vec<Hit>,
    /// Households that are flagged and were not by the rules that they are compared with.
    pub newly_flagged: i64,
    /// Households that are not flagged and were.
    pub no_longer_flagged: i64,
}

impl Part {
    fn is_full(&self) -> bool {
        self.hits.len() >= PART_HITS
    }
}

/// One region is read at a time: several would take each other's connections.
static TURN: Semaphore = Semaphore::const_new(1);

/// Judges a household.
trait Judge: Send + Sync + 'static {
    /// The rules that hold in a village.
    ///
    /// # Errors
    /// When there are none and cannot be done without. It is asked of all villages before the first is read: a sweep that ends
    /// half-way would have written some hits and not others.
    fn rules_of(&self, village: RegionCode) -> Result<Option<&RuleSet>, Error>;

    /// The rule sets whose hits matter where some are in force.
    fn asks<'a>(&'a self, in_force: Option<&'a RuleSet>) -> Vec<&'a RuleSet>;

    fn judge(&self, in_force: Option<&RuleSet>, part: &mut Part, candidate: &Candidate);
}

/// Judges by the rules that hold for each household.
struct InForce {
    rules: RuleBook,
    day: NaiveDate,
}

impl Judge for InForce {
    fn rules_of(&self, village: RegionCode) -> Result<Option<&RuleSet>, Error> {
        self.rules.of(village).map(Some).ok_or_else(|| Refused::RuleSetMissing(village, self.day).into())
    }

    fn asks<'a>(&'a self, in_force: Option<&'a RuleSet>) -> Vec<&'a RuleSet> {
        in_force.into_iter().collect()
    }

    fn judge(&self, in_force: Option<&RuleSet>, part: &mut Part, candidate: &Candidate) {
        // Where there are none, `rules_of` has said so.
        let Some(rule_set) = in_force else { return };
        let hits = &mut part.hits;
        part.tally.screen(candidate, rule_set, |hit| hits.push(hit));
    }
}

/// Judges by a rule set that is not stored, and compares it with those that hold.
struct WhatIf {
    rule_set: RuleSet,
    rules: RuleBook,
    /// Elderly members of households whose profiles do not count them all yet: a simulation does not write them down.
    elderly: HashMap<HouseholdId, i16>,
    /// Examples that are still wanted.
    examples: Mutex<usize>,
}

impl WhatIf {
    /// A household as it is today.
    fn today<'a>(&self, candidate: &'a Candidate) -> Cow<'a, Candidate> {
        let mut candidate = Cow::Borrowed(candidate);
        if let Some(elderly) = self.elderly.get(&candidate.household) {
            candidate.to_mut().profile.composition.elderly = *elderly;
        }
        candidate
    }
}

impl Judge for WhatIf {
    fn rules_of(&self, village: RegionCode) -> Result<Option<&RuleSet>, Error> {
        Ok(self.rules.of(village))
    }

    fn asks<'a>(&'a self, in_force: Option<&'a RuleSet>) -> Vec<&'a RuleSet> {
        in_force.into_iter().chain([&self.rule_set]).collect()
    }

    fn judge(&self, in_force: Option<&RuleSet>, part: &mut Part, candidate: &Candidate) {
        let mut hits = Vec::new();
        let candidate = self.today(candidate);
        let flagged = part.tally.screen(&candidate, &self.rule_set, |hit| hits.push(hit));
        let was = in_force.is_some_and(|rule_set| flags(rule_set, &candidate.profile));
        part.newly_flagged += i64::from(flagged && !was);
        part.no_longer_flagged += i64::from(was && !flagged);
        if !hits.is_empty() {
            let mut wanted = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
            hits.truncate(*wanted);
            *wanted -= hits.len();
            part.hits.append(&mut hits);
        }
    }
}

/// What is screened, and when.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The database.
    pub pool: PgPool,
    /// What the caller may see.
    pub scope: Scope,
    /// The region.
    pub region: RegionCode,
    /// Business date.
    pub day: NaiveDate,
}

/// Screens a region by the rules in force. What is found comes in parts; after an error no more.
pub async fn sweep(sweep: Sweep) -> Result<mpsc::Receiver<Result<Part, Error>>, Error> {
    count_elderly(&sweep.pool, sweep.scope, sweep.region, sweep.day).await?;
    let mut conn = sweep.scope.read(&sweep.pool).await?;
    let rules = rule_sets::book(&mut conn, sweep.region, sweep.day).await?;
    conn.rollback().await?;
    if rules.is_empty() {
        return Err(Refused::RuleSetMissing(sweep.region, sweep.day).into());
    }
    let day = sweep.day;
    Ok(begin(sweep, InForce { rules, day }))
}

/// Says what a rule set would find in its own part of a region, with so many hits as examples. Writes nothing at all.
pub async fn simulate(
    sweep: Sweep,
    rule_set: RuleSet,
    examples: usize,
) -> Result<mpsc::Receiver<Result<Part, Error>>, Error> {
    let mut conn = sweep.scope.read(&sweep.pool).await?;
    let rules = rule_sets::book(&mut conn, sweep.region, sweep.day).await?;
    let elderly = profiles::elderly(&mut conn, sweep.region, sweep.day).await?;
    conn.rollback().await?;
    Ok(begin(sweep, WhatIf { rule_set, rules, elderly, examples: Mutex::new(examples) }))
}

fn begin(sweep: Sweep, judge: impl Judge) -> mpsc::Receiver<Result<Part, Error>> {
    let (parts, received) = mpsc::channel(PARTS_WAITING);
    let work = async move {
        if let Err(error) = read_all(sweep, Arc::new(judge), parts.clone()).await {
            // Whoever does not listen any more need not be told.
            let _ = parts.send(Err(error)).await;
        }
    };
    tokio::spawn(work.in_current_span());
    received
}

/// Looks over all households of a region, with as many readers as there are cores.
async fn read_all<J: Judge>(
    sweep: Sweep,
    judge: Arc<J>,
    parts: mpsc::Sender<Result<Part, Error>>,
) -> Result<(), Error> {
    // Nobody closes it, so there is always a turn.
    let _turn = TURN.acquire().await;
    // Keeps the state that all readers see until the last one has ended.
    let mut keeper = sweep.scope.read(&sweep.pool).await?;
    profiles::take_time(&mut keeper).await?;
    let snapshot = profiles::snapshot(&mut keeper, sweep.scope).await?;
    let villages = profiles::villages(&mut keeper, sweep.region).await?;
    let pieces = Arc::new(Mutex::new(pieces(&*judge, villages)?));
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..readers_of(&sweep.pool) {
        let reader = Reader {
            pool: sweep.pool.clone(),
            snapshot: snapshot.clone(),
            day: sweep.day,
            pieces: Arc::clone(&pieces),
            judge: Arc::clone(&judge),
            parts: parts.clone(),
        };
        readers.spawn(reader.run());
    }
    while let Some(ended) = readers.join_next().await {
        ended.map_err(RequestError::Panicked)??;
    }
    Ok(keeper.rollback().await?)
}

/// Some villages in which the same rules hold.
struct Piece {
    in_force: Option<RuleSet>,
    filter: Arc<Filter>,
    villages: Vec<RegionCode>,
}

/// Divides villages into pieces of work.
fn pieces<J: Judge>(judge: &J, villages: Vec<RegionCode>) -> Result<Vec<Piece>, Error> {
    let id = |rule_set: &RuleSet| rule_set.id;
    let mut filters: HashMap<Option<RuleSetId>, Arc<Filter>> = HashMap::new();
    let mut pieces: Vec<Piece> = Vec::new();
    for village in villages {
        let in_force = judge.rules_of(village)?;
        if let Some(piece) = pieces.last_mut()
            && piece.in_force.as_ref().map(id) == in_force.map(id)
            && piece.villages.len() < PIECE_VILLAGES
        {
            piece.villages.push(village);
            continue;
        }
        let filter = filters.entry(in_force.map(id)).or_insert_with(|| Arc::new(Filter::of(judge.asks(in_force))));
        pieces.push(Piece { in_force: in_force.cloned(), filter: Arc::clone(filter), villages: vec![village] });
    }
    Ok(pieces)
}

/// One for each core, as long as half of the connections are left to others.
fn readers_of(pool: &PgPool) -> usize {
    let half = usize::try_from(pool.options().get_max_connections() / 2).unwrap_or(1);
    thread::available_parallelism().map_or(1, usize::from).min(half).max(1)
}

struct Reader<J> {
    pool: PgPool,
    snapshot: Snapshot,
    day: NaiveDate,
    pieces: Arc<Mutex<Vec<Piece>>>,
    judge: Arc<J>,
    parts: mpsc::Sender<Result<Part, Error>>,
}

impl<J: Judge> Reader<J> {
    async fn run(self) -> Result<(), Error> {
        let mut conn = self.snapshot.read(&self.pool).await?;
        while let Some(piece) = self.next() {
            if !self.read(&mut conn, &piece).await? {
                break;
            }
        }
        Ok(conn.rollback().await?)
    }

    fn next(&self) -> Option<Piece> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Whether anybody still listens.
    async fn read(&self, conn: &mut PgConnection, piece: &Piece) -> Result<bool, Error> {
        let Piece { in_force, filter, villages } = piece;
        let look = profiles::look_over(conn, villages, history_until(self.day), self.day, filter).await?;
        let mut part = Part::default();
        part.tally.households = look.households;
        for suspects in look.suspects.chunks(JUDGED) {
            for candidate in profiles::find(conn, suspects).await? {
                self.judge.judge(in_force.as_ref(), &mut part, &candidate);
                if part.is_full() && self.parts.send(Ok(std::mem::take(&mut part))).await.is_err() {
                    return Ok(false);
                }
            }
        }
        Ok(self.parts.send(Ok(part)).await.is_ok())
    }
}
