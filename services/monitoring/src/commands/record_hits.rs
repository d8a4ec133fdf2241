//! Turns hits of screening rules into signals, for sweeps and for households whose data changed.

use sqlx::PgConnection;
use tongxin_platform::{
    region::RegionCode,
    request::{Command, Context},
};

use super::Policy;
use crate::{
    domain::{
        HouseholdId, VerdictId,
        rule_set::RuleSet,
        screening::{Candidate, Hit, Tally},
        signal::{Origin, Report},
    },
    error::Error,
    store::{
        households::{self, Head},
        signals, verdicts,
    },
};

/// Stores hits as verdicts, and raises signals for them.
pub struct RecordHits(pub Vec<Hit>);

/// The outcome of hits.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The verdicts of all hits, whether new or known.
    pub verdicts: Vec<VerdictId>,
    /// Number of new signals.
    pub signals: i64,
}

impl Command for RecordHits {
    type Policy = Policy;
    type Output = Recorded;
    type Error = Error;

    async fn apply(self, conn: &mut PgConnection, context: &Context, _: &Policy) -> Result<Recorded, Error> {
        let households: Vec<HouseholdId> = self.0.iter().map(|hit| hit.household).collect();
        let heads = households::lock(conn, &households).await?;
        // Households that were merged or moved meanwhile are left to the next screening.
        let stays = |hit: Hit| match heads.get(&hit.household) {
            Some(Head { region, merged_into: None, .. }) => Some((hit, *region)),
            Some(Head { merged_into: Some(_), .. }) | None => None,
        };
        let (hits, regions): (Vec<Hit>, Vec<RegionCode>) = self.0.into_iter().filter_map(stays).unzip();
        let known = verdicts::known(conn, &hits, false).await?;
        record_hits(conn, context, hits, &regions, &known).await
    }
}

/// Re-screens locked households after their data changed: a hit counts as known only while its signal is open.
pub(super) async fn screen_anew<'a>(
    conn: &mut PgConnection,
    context: &Context,
    candidates: &[Candidate],
    rules: impl Fn(RegionCode) -> Option<&'a RuleSet>,
) -> Result<Recorded, Error> {
    let (hits, regions) = hits_of(candidates, rules);
    let known = verdicts::known(conn, &hits, true).await?;
    record_hits(conn, context, hits, &regions, &known).await
}

/// The known verdicts on households whose data did not change. Raises no signals.
pub(super) async fn known_of<'a>(
    conn: &mut PgConnection,
    candidates: &[Candidate],
    rules: impl Fn(RegionCode) -> Option<&'a RuleSet>,
) -> Result<Recorded, Error> {
    let (hits, _) = hits_of(candidates, rules);
    let known = verdicts::known(conn, &hits, false).await?;
    Ok(Recorded { verdicts: known.into_iter().flatten().collect(), signals: 0 })
}

/// The hits of the rules in force, and the village of each.
fn hits_of<'a>(
    candidates: &[Candidate],
    rules: impl Fn(RegionCode) -> Option<&'a RuleSet>,
) -> (Vec<Hit>, Vec<RegionCode>) {
    let mut hits = Vec::new();
    let mut regions = Vec::new();
    for candidate in candidates {
        let Some(rule_set) = rules(candidate.region) else { continue };
        Tally::default().screen(candidate, rule_set, |hit| hits.push(hit));
        regions.resize(hits.len(), candidate.region);
    }
    (hits, regions)
}

/// Stores those hits of locked households that are new, and raises signals for them.
async fn record_hits(
    conn: &mut PgConnection,
    context: &Context,
    hits: Vec<Hit>,
    regions: &[RegionCode],
    known: &[Option<VerdictId>],
) -> Result<Recorded, Error> {
    let is_new = |(_, known): &(_, &Option<VerdictId>)| known.is_none();
    let (new, regions): (Vec<Hit>, Vec<RegionCode>) =
        hits.into_iter().zip(regions.iter().copied()).zip(known).filter(is_new).map(|(new, _)| new).unzip();
    let written = verdicts::insert(conn, context, &new, &regions).await?;
    let report = |((hit, region), verdict): ((&Hit, &RegionCode), &VerdictId)| Report {
        household: hit.household,
        region: *region,
        cause: hit.cause,
        origin: Origin::Screening { verdict: *verdict, rule_set: hit.rule_set, rule_number: hit.rule_number },
        reported_on: context.today(),
    };
    let reports: Vec<Report> = new.iter().zip(&regions).zip(&written).map(report).collect();
    let raised = signals::raise(conn, context, &reports).await?;
    let signals = raised.iter().filter(|raised| !raised.joined).count();
    Ok(Recorded {
        verdicts: known.iter().flatten().copied().chain(written).collect(),
        signals: i64::try_from(signals).unwrap_or(i64::MAX),
    })
}
