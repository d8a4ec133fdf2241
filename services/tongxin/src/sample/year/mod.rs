//! The organisations, pairings and activities of the sample year. How many there are is said by the register, the
//! published figures and the manifest; chance decides who and when.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};
use chrono::{Datelike as _, NaiveDate};
use tongxin_platform::region::{Level, RegionCode};
use tongxin_proto::{
    pairing::v1::{ActivityKind, OrganisationDraft, OrganisationKind, OrganisationSide, PairingKind, RegionRow},
    register::v1::RegionLevel,
};

use super::{chance::Chance, files::Files, names};

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Year {
    /// The organisations of both sides.
    pub organisations: Vec<OrganisationDraft>,
    /// Who was paired with whom.
    pub pairings: Vec<Pairing>,
    /// What they did together.
    pub activities: Vec<Activity>,
}

/// A pairing of two organisations, named by their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    /// What it is about.
    pub kind: PairingKind,
    /// Place of the supporter.
    pub supporter: usize,
    /// Place of the recipient.
    pub recipient: usize,
    /// Number of the agreement.
    pub agreement_number: String,
    /// First day in force.
    pub starts_on: NaiveDate,
}

/// A joint activity of a pairing, named by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Place of the pairing.
    pub pairing: usize,
    /// What they did.
    pub kind: ActivityKind,
    /// The day.
    pub held_on: NaiveDate,
    /// People who took part.
    pub participants: i32,
    /// What else is worth knowing.
    pub remark: &'static str,
}

impl Year {
    /// Makes the year; from the same files always the same.
    pub fn of(files: &Files) -> Result<Self> {
        let villages = assisted(files, RegionLevel::Village);
        ensure!(!villages.is_empty(), "the register of the sample has no assisted village");
        let mut year = Making::new(files);
        let villages = year.villages(&villages)?;
        year.support_units(&villages)?;
        year.enterprises(&villages);
        year.schools()?;
        let activities = year.activities();
        Ok(Self { organisations: year.organisations, pairings: year.pairings, activities })
    }
}

fn assisted(files: &Files, level: RegionLevel) -> Vec<&RegionRow> {
    let counts = |region: &&RegionRow| region.assisted && region.level() == level;
    files.regions.iter().filter(counts).collect()
}

struct Making<'files> {
    files: &'files Files,
    names: HashMap<&'files str, &'files str>,
    organisations: Vec<OrganisationDraft>,
    pairings: Vec<Pairing>,
}

/// A village's party organisation.
struct Village {
    region: RegionCode,
    organisation: usize,
}

impl<'files> Making<'files> {
    fn new(files: &'files Files) -> Self {
        Self { files, names: files.names(), organisations: Vec::new(), pairings: Vec::new() }
    }

    fn chance(&self, subject: &str) -> Chance {
        Chance::of(self.files.manifest.seed, subject)
    }

    /// One party organisation for each assisted village.
    fn villages(&mut self, villages: &[&RegionRow]) -> Result<Vec<Village>> {
        let mut made = Vec::with_capacity(villages.len());
        for village in villages {
            let region = RegionCode::parse(&village.code)?;
            let name = names::village_party(&self.place(region, Level::Town), &village.name);
            let host = OrganisationKind::VillageCollective;
            let organisation = self.party(name, OrganisationSide::Recipient, host, region);
            made.push(Village { region, organisation });
        }
        Ok(made)
    }

    /// Each support unit's party organisation is paired with one village, each village with one or two of them.
    fn support_units(&mut self, villages: &[Village]) -> Result<()> {
        let enterprises = villages.iter().filter(|village| self.is_dual(village)).count();
        let published = self.files.count("supporter_party_organisations_paired")?;
        let count = published.checked_sub(enterprises).context("fewer supporters were published than enterprises")?;
        ensure!(count >= villages.len(), "fewer support units were published than there are villages");
        let mut chance = self.chance("support units");
        let order = [chance.mixed(villages.len()), chance.mixed(villages.len())].concat();
        ensure!(count <= order.len(), "more than two support units were published for each village");
        for (number, place) in order.into_iter().take(count).enumerate() {
            let (host, name) = names::support_unit(number);
            let supporter = self.supporter_party(name, host);
            let starts_on = self.starts_on(&mut chance);
            self.pair(PairingKind::Party, supporter, villages[place].organisation, starts_on);
        }
        Ok(())
    }

    /// In one town every village is paired with an enterprise's party organisation as well.
    fn enterprises(&mut self, villages: &[Village]) {
        let mut chance = self.chance("enterprises");
        let villages: Vec<_> = villages.iter().filter(|village| self.is_dual(village)).collect();
        for (number, village) in villages.into_iter().enumerate() {
            let supporter = self.supporter_party(names::enterprise(number), OrganisationKind::Enterprise);
            let starts_on = self.starts_on(&mut chance);
            self.pair(PairingKind::Party, supporter, village.organisation, starts_on);
        }
    }

    /// Every school of the towns has one supporter; every supporter has one school or more.
    fn schools(&mut self) -> Result<()> {
        let supporters = self.files.count("supporter_schools_paired")?;
        let recipients = self.files.count("recipient_schools_paired")?;
        ensure!(supporters <= recipients, "more supporting schools were published than supported ones");
        let mut towns = Vec::new();
        for town in assisted(self.files, RegionLevel::Town) {
            towns.push(RegionCode::parse(&town.code)?);
        }
        let places: Vec<_> = towns.iter().map(|town| self.place(*town, Level::Town)).collect();
        let home = self.files.manifest.supporter_region;
        let first = self.organisations.len();
        for number in 0..supporters {
            self.school(names::city_school(number), OrganisationSide::Supporter, home);
        }
        let mut chance = self.chance("schools");
        for number in 0..recipients {
            let (name, town) = names::town_school(number, &places);
            let recipient = self.school(name, OrganisationSide::Recipient, towns[town]);
            let supporter = first + if number < supporters { number } else { chance.below(supporters) };
            let starts_on = self.starts_on(&mut chance);
            self.pair(PairingKind::School, supporter, recipient, starts_on);
        }
        Ok(())
    }

    fn activities(&self) -> Vec<Activity> {
        let mut chance = self.chance("activities");
        let mut activity = || {
            let pairing = chance.below(self.pairings.len());
            let Pairing { kind, starts_on, .. } = &self.pairings[pairing];
            let (kind, remark) = match kind {
                PairingKind::School => (ActivityKind::Teaching, ""),
                _ => chance.pick(&[
                    (ActivityKind::PartyDay, ""),
                    (ActivityKind::Visit, ""),
                    (ActivityKind::Industry, ""),
                    (ActivityKind::Medical, ""),
                    (ActivityKind::Other, "村道和路灯维护"),
                ]),
            };
            let held_on = chance.day(*starts_on, self.files.manifest.as_of);
            let participants = 8 + i32::try_from(chance.below(60)).unwrap_or(0);
            Activity { pairing, kind, held_on, participants, remark }
        };
        (0..self.files.manifest.joint_activities).map(|_| activity()).collect()
    }

    /// A day between the beginning of the register and the day of the figures.
    fn starts_on(&self, chance: &mut Chance) -> NaiveDate {
        chance.day(self.files.manifest.register_effective_from, self.files.manifest.as_of)
    }

    fn is_dual(&self, village: &Village) -> bool {
        self.files.manifest.dual_region.contains(village.region)
    }

    fn supporter_party(&mut self, name: String, host: OrganisationKind) -> usize {
        self.party(name, OrganisationSide::Supporter, host, self.files.manifest.supporter_region)
    }

    fn party(&mut self, name: String, side: OrganisationSide, host: OrganisationKind, region: RegionCode) -> usize {
        let kind = OrganisationKind::PartyOrganisation;
        self.organisation(OrganisationDraft { host_kind: host.into(), ..draft(name, kind, side, region) })
    }

    fn school(&mut self, name: String, side: OrganisationSide, region: RegionCode) -> usize {
        self.organisation(draft(name, OrganisationKind::School, side, region))
    }

    fn organisation(&mut self, draft: OrganisationDraft) -> usize {
        self.organisations.push(draft);
        self.organisations.len() - 1
    }

    fn pair(&mut self, kind: PairingKind, supporter: usize, recipient: usize, starts_on: NaiveDate) {
        let agreement_number = format!("穗清结〔{}〕{:03}号", starts_on.year(), self.pairings.len() + 1);
        self.pairings.push(Pairing { kind, supporter, recipient, agreement_number, starts_on });
    }

    /// The names of a region's county and town.
    fn place(&self, region: RegionCode, down_to: Level) -> String {
        let levels = [Level::County, Level::Town].into_iter().filter(|level| *level <= down_to);
        let codes = levels.filter_map(|level| region.at(level)).map(|code| code.to_string());
        codes.filter_map(|code| self.names.get(code.as_str()).copied()).collect()
    }
}

fn draft(name: String, kind: OrganisationKind, side: OrganisationSide, region: RegionCode) -> OrganisationDraft {
    OrganisationDraft {
        name,
        kind: kind.into(),
        side: side.into(),
        region_code: region.to_string(),
        ..OrganisationDraft::default()
    }
}

#[cfg(test)]
mod tests;
