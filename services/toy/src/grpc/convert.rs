//! All parsing of proto, and the way back.

use tongxin_platform::region::RegionCode;
use tongxin_proto::toy::v1;

use crate::{commands::CountDraft, domain::tally::Tally, error::Error};

impl TryFrom<v1::CountDraft> for CountDraft {
    type Error = Error;

    fn try_from(stated: v1::CountDraft) -> Result<Self, Error> {
        let v1::CountDraft { region_code, name, by } = stated;
        let region = RegionCode::parse(&region_code).map_err(|error| Error::field("region_code", error))?;
        Ok(Self { region, name, by })
    }
}

/// A tally with the name of its region.
pub fn listed((Tally { region, name, reached }, region_name): (Tally, String)) -> v1::Tally {
    v1::Tally { region_code: region.to_string(), region_name, name, reached }
}

impl From<Tally> for v1::CountResponse {
    fn from(tally: Tally) -> Self {
        Self { tally: Some(listed((tally, String::new()))) }
    }
}
