//! Look-ups and reveals.

use chrono::{DateTime, Days, Utc};
use tongxin_platform::{
    clock::{start_of, timestamp},
    page::Page,
    region::RegionCode,
};
use tongxin_proto::monitoring::v1;

use super::{household_id, optional_date, optional_region};
use crate::{
    domain::disclosure::{Act, Disclosure, DisclosurePlace},
    error::{Error, Refused},
    store::disclosures::Asked,
};

/// The region of the request, the filter, and the page.
type List = (Option<RegionCode>, Asked, Page<DisclosurePlace>);

pub(in crate::grpc) fn list(request: v1::ListDisclosuresRequest, own: RegionCode) -> Result<List, Error> {
    let page = Page::parse(request.page_size, &request.page_token)?;
    let region = optional_region("region_code", &request.region_code)?;
    let since = optional_date("since", request.since)?;
    let until = optional_date("until", request.until)?;
    if let (Some(since), Some(until)) = (since, until)
        && until < since
    {
        return Err(Refused::PeriodOrder(since, until).into());
    }
    let until = until.and_then(|last| last.checked_add_days(Days::new(1)));
    let household = Some(request.household_id).filter(|id| !id.is_empty());
    let asked = Asked {
        within: region.unwrap_or(own).range(),
        since: since.map_or(DateTime::UNIX_EPOCH, start_of),
        until: until.map_or(END, start_of),
        subject: Some(request.subject).filter(|subject| !subject.is_empty()),
        household: household.map(|id| household_id("household_id", &id)).transpose()?,
    };
    Ok((region, asked, page))
}

/// Later than any record, and within the range of Postgres.
const END: DateTime<Utc> = DateTime::from_timestamp(253_402_300_800, 0).expect("it is the year 10000");

impl From<Disclosure> for v1::Disclosure {
    fn from(disclosure: Disclosure) -> Self {
        let act = match disclosure.act {
            Act::LookUp { key, found } => {
                v1::disclosure::Act::LookUp(v1::LookUp { key: v1::LookUpKey::from(key).into(), found })
            }
            Act::Reveal { household, purpose, reference } => v1::disclosure::Act::Reveal(v1::Reveal {
                household_id: household.to_string(),
                purpose: v1::RevealPurpose::from(purpose).into(),
                reference,
            }),
        };
        Self {
            disclosure_id: disclosure.place.id.to_string(),
            disclose_time: Some(timestamp(disclosure.place.time)),
            subject: disclosure.subject,
            region_code: disclosure.region.to_string(),
            act: Some(act),
        }
    }
}
