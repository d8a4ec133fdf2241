//! Observations.

use tongxin_platform::clock::timestamp;
use tongxin_proto::{monitoring::v1, names::Named as _};

use super::{date, household_id, named, optional_region};
use crate::{
    commands::{HouseholdRef, RecordObservation, Screened},
    domain::{
        observation::{ObservationDraft, Shock},
        risk::{Disaster, Risk},
    },
    error::Error,
    store::observations::Recorded,
};

impl TryFrom<v1::ObservationDraft> for RecordObservation {
    type Error = Error;

    fn try_from(stated: v1::ObservationDraft) -> Result<Self, Error> {
        let household = match (stated.household_id.as_str(), stated.household_number.as_str()) {
            ("", "") => return Err(Error::field("household_id", "or household_number is required")),
            ("", number) => {
                HouseholdRef::Number(number.to_owned(), optional_region("region_code", &stated.region_code)?)
            }
            (id, _) => HouseholdRef::Id(household_id("household_id", id)?),
        };
        Ok(Self { household, stated: stated.try_into()? })
    }
}

impl TryFrom<v1::ObservationDraft> for ObservationDraft {
    type Error = Error;

    fn try_from(stated: v1::ObservationDraft) -> Result<Self, Error> {
        Ok(Self {
            window_ends_on: date("window_ends_on", stated.window_ends_on)?,
            wages: stated.wages_fen,
            business: stated.business_fen,
            property: stated.property_fen,
            transfer: stated.transfer_fen,
            business_expense: stated.business_expense_fen,
            out_of_pocket: stated.out_of_pocket_fen,
            insurance_received: stated.insurance_received_fen,
            schooling_guaranteed: stated.schooling_guaranteed,
            medical_guaranteed: stated.medical_guaranteed,
            housing_grade: named("housing_grade", stated.housing_grade)?,
            water_safe: stated.water_safe,
            shocks: (0..)
                .zip(stated.shocks)
                .map(|(place, stated)| shock(stated).map_err(|error| error.within(&format!("shocks[{place}]"))))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn shock(stated: v1::Shock) -> Result<Shock, Error> {
    let cause: Risk = named("cause", stated.cause)?;
    let disaster = Disaster::read(stated.disaster);
    match (cause, disaster) {
        (Risk::NaturalDisaster, None) => Err(Error::field("disaster", "is required for natural disasters")),
        (Risk::NaturalDisaster, Some(_)) | (_, None) => Ok(Shock { cause, disaster, loss_fen: stated.loss_fen }),
        (_, Some(_)) => Err(Error::field("disaster", "is for natural disasters only")),
    }
}

impl From<Recorded> for v1::Observation {
    fn from(recorded: Recorded) -> Self {
        let Recorded { household, observation, record_time } = recorded;
        let (net_income_fen, per_capita_net_income_fen) =
            (observation.stated.net_income(), observation.per_capita_net_income());
        let stated = observation.stated;
        let stated = v1::ObservationDraft {
            region_code: String::new(),
            household_id: household.to_string(),
            household_number: String::new(),
            window_ends_on: Some(stated.window_ends_on.into()),
            wages_fen: stated.wages,
            business_fen: stated.business,
            property_fen: stated.property,
            transfer_fen: stated.transfer,
            business_expense_fen: stated.business_expense,
            out_of_pocket_fen: stated.out_of_pocket,
            insurance_received_fen: stated.insurance_received,
            schooling_guaranteed: stated.schooling_guaranteed,
            medical_guaranteed: stated.medical_guaranteed,
            housing_grade: v1::HousingGrade::from(stated.housing_grade).into(),
            water_safe: stated.water_safe,
            shocks: super::all(stated.shocks),
        };
        Self {
            stated: Some(stated),
            persons: observation.persons.into(),
            net_income_fen,
            per_capita_net_income_fen,
            record_time: Some(timestamp(record_time)),
            version: observation.version,
        }
    }
}

impl From<Shock> for v1::Shock {
    fn from(shock: Shock) -> Self {
        Self {
            cause: v1::Risk::from(shock.cause).into(),
            disaster: shock.disaster.map(v1::Disaster::from).unwrap_or_default().into(),
            loss_fen: shock.loss_fen,
        }
    }
}

impl From<Screened> for v1::RecordObservationResponse {
    fn from(screened: Screened) -> Self {
        Self {
            observation: Some(screened.recorded.into()),
            verdicts: super::all(screened.verdicts),
            warnings: screened.warnings,
        }
    }
}
