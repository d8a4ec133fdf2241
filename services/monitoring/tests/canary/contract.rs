//! Every text of every request: each kind of thing that says who somebody is, put into each field that the descriptors know.

use std::{cell::Cell, collections::BTreeSet};

use prost_reflect::{DynamicMessage, FieldDescriptor, MethodDescriptor, Value};
use tongxin_platform::testing::contract::{self, TextField};
use tongxin_proto::monitoring::v1::{Department, Household};
use tonic::{Code, Status};

use crate::{
    drafts::{id_number, id_number_of},
    support::{PROVINCE, TestApp, VILLAGE, new_request_id},
};

/// What says who somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    IdNumber,
    Phone,
    Account,
    Name,
    Address,
}

impl Kind {
    const ALL: [Self; 5] = [Self::IdNumber, Self::Phone, Self::Account, Self::Name, Self::Address];

    /// One that no other field was given.
    fn canary(self, number: u32) -> String {
        let sign = char::from_u32(0x5000 + number).unwrap();
        match self {
            Self::IdNumber => {
                id_number(&format!("19{:02}{:02}{:02}", 30 + number / 240, 1 + number / 20 % 12, 1 + number % 20), 771)
            }
            Self::Phone => format!("1947{number:07}"),
            Self::Account => with_luhn_digit(&format!("62184{number:013}")),
            Self::Name => format!("柳金丝{sign}"),
            Self::Address => format!("金丝雀里{sign}巷七号"),
        }
    }

    /// What has a form, such as an identifier, is read by one rule for all.
    fn is_tried_in(self, field: &TextField) -> bool {
        match self {
            Self::IdNumber => true,
            Self::Phone | Self::Account => {
                field.has("personal") || field.has("plain_text") || field.field().name().ends_with("household_number")
            }
            Self::Name => !field.has("plain_text"),
            Self::Address => field.has("personal"),
        }
    }

    /// Whether a text that is kept in plain can tell it from anything else.
    fn is_number(self) -> bool {
        matches!(self, Self::IdNumber | Self::Phone | Self::Account)
    }
}

fn with_luhn_digit(digits: &str) -> String {
    let doubled = |(place, digit): (usize, char)| match (place % 2, digit.to_digit(10).unwrap()) {
        (0, digit) => digit * 2 / 10 + digit * 2 % 10,
        (_, digit) => digit,
    };
    let sum: u32 = digits.chars().rev().enumerate().map(doubled).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Digits that are kept in plain because they are no person's: lists on paper are found by them.
const PLAIN_BY_DESIGN: [&str; 5] = [
    "HouseholdDraft.household_number",
    "ChangeHouseholdRequest.household_number",
    "MoveHouseholdRequest.new_household_number",
    "MergeHouseholdsRequest.new_household_number",
    "UndoMergeRequest.new_household_number",
];

/// What was put where, and what became of it.
#[derive(Default)]
pub struct Asked {
    /// None of these may come to rest anywhere.
    pub canaries: Vec<String>,
    /// What callers were told.
    pub told: Vec<Status>,
    /// Fields that took something that was meant for them.
    taken: BTreeSet<String>,
    /// Fields that refused numbers of people.
    refused: BTreeSet<String>,
}

/// Puts everything everywhere.
pub async fn every_text(app: &TestApp, household: &Household) -> Asked {
    let token = app.world.token("hq", PROVINCE);
    let mut asked = Asked::default();
    let people = Cell::new(0);
    let fill = |field: &FieldDescriptor| fill(field, household, &people);
    let mut number = 0;
    for method in contract::methods("tongxin.monitoring.v1") {
        for field in TextField::all(&method.input()) {
            for kind in Kind::ALL.into_iter().filter(|kind| kind.is_tried_in(&field)) {
                number += 1;
                let canary = kind.canary(number);
                // A department sends warnings, headquarters all else.
                let token = if method.name() == "SubmitWarnings" {
                    app.world.department_token(Department::CivilAffairs.as_str_name(), PROVINCE)
                } else {
                    token.clone()
                };
                let request = contract::request(&method, &fill, (&field, &canary));
                let answer = contract::call(&app.channel, &token, &method, &request).await;
                asked.note(&method, &field, (kind, canary), answer);
            }
        }
    }
    asked
}

/// What fits into fields that have a form of their own.
fn fill(field: &FieldDescriptor, household: &Household, people: &Cell<u32>) -> Option<Value> {
    let person = || {
        people.set(people.get() + 1);
        id_number_of("441881", "19701130", people.get())
    };
    let text = match (field.parent_message().name(), field.name()) {
        ("MemberDraft", "health") => return Some(Value::List(vec![Value::EnumNumber(1)])),
        ("FindHouseholdsRequest", _)
        | (_, "page_token")
        | ("SetMemberRequest", "member_id")
        | ("HouseholdDraft", "household_id") => return None,
        ("MemberDraft" | "Warning", "id_number") => person(),
        (_, "household_id" | "kept_id") => household.household_id.clone(),
        (_, "member_id") => household.members[0].member_id.clone(),
        (
            _,
            "request_id" | "import_id" | "case_id" | "signal_id" | "measure_id" | "merged_id" | "merge_id"
            | "rule_set_id",
        ) => new_request_id(),
        ("MemberDraft", "name") => "陈一".to_owned(),
        ("Warning", "reference") => format!("W/{}", people.get()),
        ("MeasureDraft", "owner") => "clerk-7".to_owned(),
        ("MeasureResult", "outcome") | (_, "reason") => "已核实".to_owned(),
        ("CaseDraft", "category") => "unstable".to_owned(),
        ("CaseDraft", "risk_remark") => "其他".to_owned(),
        ("HouseholdDraft" | "MoveHouseholdRequest" | "RecordVillageIncomeRequest", "region_code") => VILLAGE.to_owned(),
        _ => return None,
    };
    Some(Value::String(text))
}

impl Asked {
    fn note(
        &mut self,
        method: &MethodDescriptor,
        field: &TextField,
        (kind, canary): (Kind, String),
        answer: Result<Vec<DynamicMessage>, Status>,
    ) {
        let name = field.name();
        let row_errors =
            |answers: &[DynamicMessage]| answers.iter().any(|answer| answer.to_string().contains("reason:"));
        let is_taken = answer.as_ref().is_ok_and(|answers| !row_errors(answers));
        if field.has("plain_text") && kind.is_number() {
            let refused = match &answer {
                Ok(_) => !is_taken,
                Err(status) => status.code() == Code::InvalidArgument,
            };
            assert!(refused, "{} takes {kind:?} in {name}: {answer:?}", method.name());
            self.refused.insert(name.clone());
        }
        if is_taken && field.has("personal") {
            self.taken.insert(name.clone());
        }
        let told = match answer {
            // Whoever asks to be shown something is shown it.
            Ok(answers) if row_errors(&answers) => Status::invalid_argument(format!("{answers:?}")),
            Ok(_) => Status::ok(""),
            Err(status) => status,
        };
        self.told.push(told);
        let is_plain = PLAIN_BY_DESIGN.contains(&name.as_str()) && kind != Kind::IdNumber;
        if !is_plain {
            self.canaries.push(canary);
        }
    }

    /// Makes sure that something was looked at: what is personal was taken, and what is plain refused.
    pub fn is_whole(&self) {
        let taken: Vec<&str> = self.taken.iter().map(String::as_str).collect();
        let expected = [
            "ChangeHouseholdRequest.address",
            "ChangeHouseholdRequest.bank_account",
            "FindHouseholdsRequest.id_number",
            "FindHouseholdsRequest.name",
            "HouseholdDraft.address",
            "HouseholdDraft.bank_account",
            "MemberDraft.id_number",
            "MemberDraft.name",
            "MemberDraft.phone",
            "Warning.id_number",
        ];
        assert_eq!(taken, expected);
        let methods = contract::methods("tongxin.monitoring.v1");
        let fields = methods.iter().flat_map(|method| TextField::all(&method.input()));
        let plain: BTreeSet<String> =
            fields.filter(|field| field.has("plain_text")).map(|field| field.name()).collect();
        assert!(plain.len() > 10);
        assert_eq!(self.refused, plain);
    }
}
