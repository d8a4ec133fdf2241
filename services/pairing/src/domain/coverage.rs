//! Coverage: when an assisted village counts as covered.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use tongxin_platform::timeline::Timeline;

use super::{
    organisation::OrganisationKind,
    pairing::{Pairing, PairingKind},
    period::Period,
};

/// Coverage rules by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CoverageRules(pub BTreeMap<String, CoverageRule>);

/// A village is covered when all needs are met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageRule {
    /// All of these have to be met.
    #[serde(deserialize_with = "sound")]
    pub needs: Vec<Need>,
}

/// A minimum number of pairings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// Kind of the pairings.
    pub pairing: PairingKind,
    /// Kinds of the bodies that the supporting party organisations belong to; empty allows any.
    #[serde(default)]
    pub supporter_host: Vec<OrganisationKind>,
    /// Minimum number, at least 1.
    #[serde(default = "one")]
    pub at_least: usize,
}

const fn one() -> usize {
    1
}

/// A rule that every village meets, or none ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// Nothing is needed.
    #[error("a coverage rule has to need something: without needs it covers every village")]
    Nothing,
    /// No pairing is needed.
    #[error("at_least has to be 1 or more: 0 covers every village")]
    NoPairing,
    /// A supporter is a body itself.
    #[error("supporter_host is for pairings of the kind party: other supporters belong to no body")]
    Host,
    /// A party organisation belongs to another body.
    #[error("supporter_host names bodies that a party organisation can belong to: party_organisation is none")]
    PartyHost,
}

fn sound<'de, D: Deserializer<'de>>(needs: D) -> Result<Vec<Need>, D::Error> {
    let needs: Vec<Need> = Vec::deserialize(needs)?;
    if needs.is_empty() {
        return Err(D::Error::custom(Unsound::Nothing));
    }
    for need in &needs {
        need.check().map_err(D::Error::custom)?;
    }
    Ok(needs)
}

impl Default for CoverageRules {
    /// `party`: a party pairing. `dual` (双覆盖): one with a support unit's party organisation and one
    /// with an enterprise's.
    fn default() -> Self {
        use OrganisationKind::{Enterprise, Government, Hospital, PublicInstitution, School};
        let party = |supporter_host| Need { pairing: PairingKind::Party, supporter_host, at_least: 1 };
        let support_unit = party(vec![Government, PublicInstitution, School, Hospital]);
        Self(BTreeMap::from([
            ("party".to_owned(), CoverageRule { needs: vec![party(Vec::new())] }),
            ("dual".to_owned(), CoverageRule { needs: vec![support_unit, party(vec![Enterprise])] }),
        ]))
    }
}

impl CoverageRule {
    /// The kinds of pairing that it counts.
    #[must_use]
    pub fn kinds(&self) -> Vec<PairingKind> {
        self.needs.iter().map(|need| need.pairing).collect()
    }

    /// Whether the pairings of a village meet all needs on a day.
    #[must_use]
    pub fn is_met<'a>(&self, pairings: &(impl Iterator<Item = &'a Pairing> + Clone), day: NaiveDate) -> bool {
        self.needs.iter().all(|need| {
            let counted = |pairing: &&Pairing| pairing.draft.period.contains(day) && need.counts(pairing);
            pairings.clone().filter(counted).take(need.at_least).count() >= need.at_least
        })
    }

    /// The timeline of a village's coverage: the days on which it is assisted and its pairings meet all needs.
    #[must_use]
    pub fn timeline<'a>(
        &self,
        assisted: &[Period],
        pairings: &(impl Iterator<Item = &'a Pairing> + Clone),
    ) -> Timeline {
        let days = pairings.clone().map(|pairing| pairing.draft.period).chain(assisted.iter().copied());
        Timeline::of(days.flat_map(Period::bounds), |day| {
            assisted.iter().any(|period| period.contains(day)) && self.is_met(pairings, day)
        })
    }
}

impl Need {
    fn check(&self) -> Result<(), Unsound> {
        if self.at_least == 0 {
            return Err(Unsound::NoPairing);
        }
        if self.pairing != PairingKind::Party && !self.supporter_host.is_empty() {
            return Err(Unsound::Host);
        }
        if self.supporter_host.contains(&OrganisationKind::PartyOrganisation) {
            return Err(Unsound::PartyHost);
        }
        Ok(())
    }

    fn counts(&self, pairing: &Pairing) -> bool {
        pairing.draft.kind == self.pairing
            && (self.supporter_host.is_empty()
                || pairing.supporter_host.is_some_and(|host| self.supporter_host.contains(&host)))
    }
}
