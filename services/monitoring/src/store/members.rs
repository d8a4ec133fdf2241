//! Members of households.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::personal::DataKey;
use uuid::Uuid;

use super::{
    keys::Hash,
    named, sealed,
    sealed::{Sealed, SealedMember},
};
use crate::{
    domain::{
        HouseholdId, MemberId,
        household::Household,
        member::{Insurance, LabourAbility, Member, Relation, Schooling, Sex, Work},
    },
    error::Error,
};

/// A member as stored, with sealed personal data.
pub(super) struct Kept {
    member_id: Uuid,
    household_id: Uuid,
    relation: String,
    sex: String,
    birth_date: NaiveDate,
    labour: String,
    schooling: String,
    insurances: i16,
    work: String,
    work_months: i16,
    sealed: Vec<u8>,
    left_on: Option<NaiveDate>,
}

impl Kept {
    /// Opens the personal data.
    pub(super) fn open(self, key: &DataKey) -> Result<Member, Error> {
        let id = MemberId(self.member_id);
        Ok(Member {
            id,
            personal: sealed::open_member(key, id, &self.sealed)?,
            relation: named(Relation::by_name(&self.relation), &self.relation)?,
            sex: named(Sex::by_name(&self.sex), &self.sex)?,
            birth_date: self.birth_date,
            labour: named(LabourAbility::by_name(&self.labour), &self.labour)?,
            schooling: named(Schooling::by_name(&self.schooling), &self.schooling)?,
            insurances: insurances(self.insurances),
            work: named(Work::by_name(&self.work), &self.work)?,
            work_months: self.work_months,
            left_on: self.left_on,
        })
    }
}

/// Insurances as bits.
fn bits(insurances: &BTreeSet<Insurance>) -> i16 {
    insurances.iter().fold(0, |bits, insurance| bits | 1 << insurance.index())
}

pub(super) fn insurances(bits: i16) -> BTreeSet<Insurance> {
    Insurance::ALL.iter().filter(|insurance| bits & (1 << insurance.index()) != 0).copied().collect()
}

/// Rows of members, by household.
pub(super) type Members = HashMap<HouseholdId, Vec<Kept>>;

/// Reads the members of households: present ones, the head first, then those who left.
pub(super) async fn of_households(conn: &mut PgConnection, households: &[Uuid]) -> Result<Members, Error> {
    let rows = sqlx::query_as!(
        Kept,
        r#"
        SELECT member_id, household_id, relation, sex, birth_date, labour, schooling, insurances, work, work_months,
               sealed, left_on
        FROM member
        WHERE household_id = ANY($1)
        ORDER BY left_on IS NOT NULL, relation <> 'head', position
        "#,
        households,
    )
    .fetch_all(conn)
    .await?;
    let mut members = Members::new();
    for row in rows {
        members.entry(HouseholdId(row.household_id)).or_default().push(row);
    }
    Ok(members)
}

/// Adds the members of new households.
pub(super) async fn add(conn: &mut PgConnection, new: &[&Sealed]) -> Result<(), Error> {
    let mut columns = Columns::default();
    for Sealed { household, members, .. } in new.iter().copied() {
        columns.add(household, household.members.iter().zip(members).enumerate());
    }
    columns.insert(conn).await
}

/// Replaces the members of a household; members that it no longer has are deleted.
pub(super) async fn replace(
    conn: &mut PgConnection,
    household: &Household,
    sealed: &[SealedMember],
) -> Result<(), Error> {
    // The unique index allows no two heads, even for a moment.
    sqlx::query!("DELETE FROM member WHERE household_id = $1", household.id.0).execute(&mut *conn).await?;
    let mut columns = Columns::default();
    columns.add(household, household.members.iter().zip(sealed).enumerate());
    columns.insert(conn).await
}

/// The columns of members, as arrays.
#[derive(Default)]
struct Columns<'a> {
    households: Vec<Uuid>,
    ids: Vec<Uuid>,
    regions: Vec<i64>,
    positions: Vec<i16>,
    relations: Vec<&'a str>,
    sexes: Vec<&'a str>,
    birth_dates: Vec<NaiveDate>,
    labour: Vec<&'a str>,
    schooling: Vec<&'a str>,
    insurances: Vec<i16>,
    work: Vec<&'a str>,
    work_months: Vec<i16>,
    sealed: Vec<&'a [u8]>,
    id_indexes: Vec<Hash>,
    name_indexes: Vec<Hash>,
    left_on: Vec<Option<NaiveDate>>,
}

impl<'a> Columns<'a> {
    fn add(&mut self, household: &Household, members: impl Iterator<Item = (usize, (&'a Member, &'a SealedMember))>) {
        for (position, (member, sealed)) in members {
            self.households.push(household.id.0);
            self.ids.push(member.id.0);
            self.regions.push(household.region.number());
            self.positions.push(i16::try_from(position).unwrap_or(i16::MAX));
            self.relations.push(member.relation.name());
            self.sexes.push(member.sex.name());
            self.birth_dates.push(member.birth_date);
            self.labour.push(member.labour.name());
            self.schooling.push(member.schooling.name());
            self.insurances.push(bits(&member.insurances));
            self.work.push(member.work.name());
            self.work_months.push(member.work_months);
            self.sealed.push(&sealed.sealed);
            self.id_indexes.push(sealed.id_index);
            self.name_indexes.push(sealed.name_index);
            self.left_on.push(member.left_on);
        }
    }

    async fn insert(&self, conn: &mut PgConnection) -> Result<(), Error> {
        sqlx::query!(
            r#"
            INSERT INTO member
                (household_id, member_id, region_code, position, relation, sex, birth_date, labour, schooling,
                 insurances, work, work_months, sealed, id_index, name_index, left_on)
            SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::smallint[]),
                   unnest($5::text[]), unnest($6::text[]), unnest($7::date[]), unnest($8::text[]),
                   unnest($9::text[]), unnest($10::smallint[]), unnest($11::text[]), unnest($12::smallint[]),
                   unnest($13::bytea[]), unnest($14::uuid[]), unnest($15::uuid[]), unnest($16::date[])
            "#,
            &self.households,
            &self.ids,
            &self.regions,
            &self.positions,
            &self.relations as &[&str],
            &self.sexes as &[&str],
            &self.birth_dates,
            &self.labour as &[&str],
            &self.schooling as &[&str],
            &self.insurances,
            &self.work as &[&str],
            &self.work_months,
            &self.sealed as &[&[u8]],
            &self.id_indexes,
            &self.name_indexes,
            &self.left_on as &[Option<NaiveDate>],
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}
