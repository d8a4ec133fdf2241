//! Conversions between messages and domain types.

mod answers;
mod names;
mod requests;

pub(super) use answers::{all, coverage, import_progress};
pub(super) use requests::{
    activity_id, credit_code, date, edition, list_activities, list_organisations, list_pairings, list_regions,
    organisation_id, organisation_row, pairing_id, pairing_row, region, region_and_day, uuid,
};
