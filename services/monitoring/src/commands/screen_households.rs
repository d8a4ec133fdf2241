//! Screens the households of a region, with several readers of one snapshot.

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

/// Number of villages that are filtered at once.
const PIECE_VILLAGES: usize = 50;

/// Number of households that are judged at once.
const JUDGED: usize = 1_000;

/// Number of hits after which a reader hands its results on before it has finished its villages.
const PART_HITS: usize = 1_000;

/// Maximum number of results that wait for the writer; readers wait while there are as many.
const PARTS_WAITING: usize = 4;

/// Results of a reader.
#[derive(Debug, Default)]
pub struct Part {
    pub tally: Tally,
    pub hits: Vec<Hit>,
    /// Households that are flagged now, but not by the rules in comparison.
    pub newly_flagged: i64,
    /// Households that are flagged only by the rules in comparison.
    pub no_longer_flagged: i64,
}

impl Part {
    fn is_full(&self) -> bool {
        self.hits.len() >= PART_HITS
    }
}

/// One sweep or simulation at a time: several would take each other's connections.
static TURN: Semaphore = Semaphore::const_new(1);

/// Judges a household.
trait Judge: Send + Sync + 'static {
    /// The rules in force in a village.
    ///
    /// # Errors
    /// If the village has no rule set and one is required. All villages are checked before the first is read: a sweep
    /// that ends half-way would have written some hits and not others.
    fn rules_of(&self, village: RegionCode) -> Result<Option<&RuleSet>, Error>;

    /// The rule sets to filter by, where some are in force.
    fn asks<'a>(&'a self, in_force: Option<&'a RuleSet>) -> Vec<&'a RuleSet>;

    fn judge(&self, in_force: Option<&RuleSet>, part: &mut Part, candidate: &Candidate);
}

/// Judges by the rules in force for each household.
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
        // If there are none, `rules_of` has failed.
        let Some(rule_set) = in_force else { return };
        let hits = &mut part.hits;
        part.tally.screen(candidate, rule_set, |hit| hits.push(hit));
    }
}

/// Judges by a rule set that is not stored, and compares it with those in force.
struct WhatIf {
    rule_set: RuleSet,
    rules: RuleBook,
    /// Elderly members of households whose profiles do not count them all yet: a simulation does not store them.
    elderly: HashMap<HouseholdId, i16>,
    /// Number of examples still wanted.
    examples: Mutex<usize>,
}

impl WhatIf {
    /// A household as of today.
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

/// A screening: region, day and scope.
#[derive(Debug, Clone)]
pub struct Sweep {
    pub pool: PgPool,
    /// The regions that the caller may see.
    pub scope: Scope,
    pub region: RegionCode,
    pub day: NaiveDate,
}

/// Screens a region by the rules in force. Results come in parts; after an error there are no more.
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

/// Reports what a rule set would find in its own part of a region, with at most `examples` hits. Writes nothing.
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
            // The receiver may be gone.
            let _ = parts.send(Err(error)).await;
        }
    };
    tokio::spawn(work.in_current_span());
    received
}

/// Screens all households of a region, with one reader per core.
async fn read_all<J: Judge>(
    sweep: Sweep,
    judge: Arc<J>,
    parts: mpsc::Sender<Result<Part, Error>>,
) -> Result<(), Error> {
    // The semaphore is never closed, so this cannot fail.
    let _turn = TURN.acquire().await;
    // Keeps the readers' snapshot valid until the last one has ended.
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

/// Some villages with the same rules.
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

/// One per core, but at most half of the connections.
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

    /// Returns whether the receiver is still there.
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
