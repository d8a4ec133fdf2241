//! Conversions from requests. Rules of the contract are not checked again.

use chrono::NaiveDate;
use tongxin_platform::{
    clock::Clock,
    page::{Page, PageKey},
    region::RegionCode,
    register::RegionLevel,
    request::DateRefused,
};
use tongxin_proto::{Date, names::Named, pairing::v1};
use uuid::Uuid;

use crate::{
    commands::{OrganisationRow, PairingRow},
    domain::{
        ActivityId, OrganisationId, PairingId,
        activity::{ActivityDraft, ActivityKind},
        credit_code::CreditCode,
        organisation::{OrganisationDraft, OrganisationKind, Side},
        pairing::{OrganisationRef, PairingKind, StatedPairing},
        period::Period,
        register::{Edition, RegisterRow},
    },
    error::{Error, Refused},
    store::{organisations, pairings},
};

pub(in crate::grpc) fn region(field: &'static str, text: &str) -> Result<RegionCode, Error> {
    RegionCode::parse(text).map_err(|error| Error::field(field, error))
}

fn optional_region(field: &'static str, text: &str) -> Result<Option<RegionCode>, Error> {
    if text.is_empty() { Ok(None) } else { region(field, text).map(Some) }
}

pub(in crate::grpc) fn uuid(field: &'static str, text: &str) -> Result<Uuid, Error> {
    Uuid::try_parse(text).map_err(|_| Error::field(field, "has to be a UUID"))
}

pub(in crate::grpc) fn organisation_id(field: &'static str, text: &str) -> Result<OrganisationId, Error> {
    uuid(field, text).map(OrganisationId)
}

pub(in crate::grpc) fn pairing_id(text: &str) -> Result<PairingId, Error> {
    uuid("pairing_id", text).map(PairingId)
}

pub(in crate::grpc) fn activity_id(text: &str) -> Result<ActivityId, Error> {
    uuid("activity_id", text).map(ActivityId)
}

pub(in crate::grpc) fn credit_code(text: &str) -> Result<Option<CreditCode>, Error> {
    let read = |text| CreditCode::parse(text).map_err(|error| Error::field("credit_code", error));
    Some(text).filter(|text| !text.is_empty()).map(read).transpose()
}

pub(in crate::grpc) fn date(field: &'static str, date: Option<Date>) -> Result<NaiveDate, Error> {
    optional_date(field, date)?.ok_or_else(|| Error::field(field, "is required"))
}

fn optional_date(field: &'static str, date: Option<Date>) -> Result<Option<NaiveDate>, Error> {
    let read = |date: Date| NaiveDate::try_from(date).map_err(|_| Error::field(field, "is not a day of the calendar"));
    date.map(read).transpose()
}

/// A required value.
fn named<T: Named>(field: &'static str, number: i32) -> Result<T, Error> {
    T::read(number).ok_or_else(|| Error::field(field, "is required"))
}

pub(in crate::grpc) fn list_regions(request: &v1::ListRegionsRequest) -> Result<(RegionCode, Page<i64>), Error> {
    let page = Page::parse(request.page_size, &request.page_token)?;
    Ok((region("parent_code", &request.parent_code)?, page))
}

pub(in crate::grpc) fn list_organisations(
    request: &v1::ListOrganisationsRequest,
    own: RegionCode,
) -> Result<(organisations::Filter, Page<PageKey>), Error> {
    let filter = organisations::Filter {
        region: optional_region("region_code", &request.region_code)?,
        kind: OrganisationKind::read(request.kind),
        side: Side::read(request.side),
        own,
    };
    Ok((filter, Page::parse(request.page_size, &request.page_token)?))
}

pub(in crate::grpc) fn list_pairings(
    request: &v1::ListPairingsRequest,
    own: RegionCode,
) -> Result<(pairings::Filter, Page<PageKey>), Error> {
    let organisation = match request.organisation_id.as_str() {
        "" => None,
        text => Some(organisation_id("organisation_id", text)?),
    };
    let filter = pairings::Filter {
        region: optional_region("region_code", &request.region_code)?,
        kind: PairingKind::read(request.kind),
        organisation,
        in_force_on: optional_date("in_force_on", request.in_force_on)?,
        voided: request.include_voided,
        own,
    };
    Ok((filter, Page::parse(request.page_size, &request.page_token)?))
}

pub(in crate::grpc) fn list_activities(
    request: &v1::ListJointActivitiesRequest,
) -> Result<(PairingId, Page<Uuid>), Error> {
    Ok((pairing_id(&request.pairing_id)?, Page::parse(request.page_size, &request.page_token)?))
}

pub(in crate::grpc) fn region_and_day(
    request: &v1::GetCoverageRequest,
    clock: &Clock,
) -> Result<(RegionCode, NaiveDate), Error> {
    let as_of = optional_date("as_of", request.as_of)?.unwrap_or_else(|| clock.today());
    not_after_today("as_of", as_of, clock)?;
    Ok((region("region_code", &request.region_code)?, as_of))
}

impl TryFrom<v1::OrganisationDraft> for OrganisationDraft {
    type Error = Error;

    fn try_from(draft: v1::OrganisationDraft) -> Result<Self, Error> {
        not_kept("organisation_id", &draft.organisation_id)?;
        Ok(Self {
            name: draft.name,
            kind: named("kind", draft.kind)?,
            side: named("side", draft.side)?,
            host_kind: OrganisationKind::read(draft.host_kind),
            region: region("region_code", &draft.region_code)?,
            credit_code: credit_code(&draft.credit_code)?,
        })
    }
}

/// Something new is given its identifier.
fn not_kept(field: &'static str, stated: &str) -> Result<(), Error> {
    if stated.is_empty() {
        Ok(())
    } else {
        Err(Error::field(field, "is for rows of imports: what is new is given one"))
    }
}

/// A row of an import, which may name what is kept.
pub(in crate::grpc) fn organisation_row(mut row: v1::OrganisationDraft) -> Result<OrganisationRow, Error> {
    let id = std::mem::take(&mut row.organisation_id);
    let id = Some(id).filter(|id| !id.is_empty()).map(|id| organisation_id("organisation_id", &id)).transpose()?;
    Ok(OrganisationRow { id, stated: row.try_into()? })
}

/// A row of an import, which may name what is kept.
pub(in crate::grpc) fn pairing_row(mut row: v1::PairingDraft) -> Result<PairingRow, Error> {
    let id = std::mem::take(&mut row.pairing_id);
    let id = Some(id).filter(|id| !id.is_empty()).map(|id| pairing_id(&id)).transpose()?;
    Ok(PairingRow { id, stated: row.try_into()? })
}

/// An organisation by its identifier or its credit code.
fn organisation_ref(side: Side, id: &str, code: &str) -> Result<OrganisationRef, Error> {
    let (id_field, code_field) = (side.field(), side.code_field());
    match (id, code) {
        ("", "") => Err(Error::field(id_field, format!("or {code_field} is required"))),
        (id, "") => organisation_id(id_field, id).map(OrganisationRef::Id),
        ("", code) => {
            let code = CreditCode::parse(code).map_err(|error| Error::field(code_field, error))?;
            Ok(OrganisationRef::Code(code))
        }
        _ => Err(Error::field(code_field, format!("and {id_field} are not stated at once"))),
    }
}

impl TryFrom<v1::PairingDraft> for StatedPairing {
    type Error = Error;

    fn try_from(draft: v1::PairingDraft) -> Result<Self, Error> {
        not_kept("pairing_id", &draft.pairing_id)?;
        let starts_on = date("starts_on", draft.starts_on)?;
        let ends_on = optional_date("ends_on", draft.ends_on)?;
        Ok(Self {
            kind: named("kind", draft.kind)?,
            supporter: organisation_ref(Side::Supporter, &draft.supporter_id, &draft.supporter_credit_code)?,
            recipient: organisation_ref(Side::Recipient, &draft.recipient_id, &draft.recipient_credit_code)?,
            agreement_number: draft.agreement_number,
            period: Period::new(starts_on, ends_on).map_err(Refused::Order)?,
        })
    }
}

impl TryFrom<v1::JointActivityDraft> for ActivityDraft {
    type Error = Error;

    fn try_from(draft: v1::JointActivityDraft) -> Result<Self, Error> {
        Ok(Self {
            pairing: pairing_id(&draft.pairing_id)?,
            kind: named::<ActivityKind>("kind", draft.kind)?,
            held_on: date("held_on", draft.held_on)?,
            participants: draft.participants,
            remark: draft.remark,
        })
    }
}

impl TryFrom<v1::RegionRow> for RegisterRow {
    type Error = Error;

    fn try_from(row: v1::RegionRow) -> Result<Self, Error> {
        let row = Self {
            code: region("code", &row.code)?,
            name: row.name,
            level: named::<RegionLevel>("level", row.level)?,
            parent: optional_region("parent_code", &row.parent_code)?,
            assisted: row.assisted,
        };
        row.check().map_err(Refused::from)?;
        Ok(row)
    }
}

pub(in crate::grpc) fn edition(edition: &v1::RegionEdition) -> Result<Edition, Error> {
    let complete_for = optional_region("complete_for", &edition.complete_for)?;
    let row_count = (edition.row_count > 0).then_some(edition.row_count);
    if complete_for.is_some() && row_count.is_none() {
        let text = "is required with complete_for: state how many rows the edition has, so that one that was cut off \
                    withdraws nothing";
        return Err(Error::field("row_count", text));
    }
    Ok(Edition {
        effective_from: date("effective_from", edition.effective_from)?,
        complete_for,
        row_count,
        source: edition.source.clone(),
    })
}

/// Checks that a day is not after today.
fn not_after_today(field: &'static str, day: NaiveDate, clock: &Clock) -> Result<(), Error> {
    let today = clock.today();
    if day > today { Err(Error::Date(field, DateRefused::InFuture { date: day, today })) } else { Ok(()) }
}
