//! `tongxin audit`: who looked people up or revealed their data, when and why.

use anyhow::{Context as _, Result};
use chrono::{DateTime, NaiveDate, Utc};
use clap::ValueEnum;
use serde_json::json;
use tongxin_platform::{clock::local_time, region::RegionCode};
use tongxin_proto::{
    monitoring::v1::{Disclosure, ListDisclosuresRequest, ListDisclosuresResponse, LookUp, Reveal, disclosure::Act},
    words::Word as _,
};

use super::{day, region};
use crate::{
    client::Target,
    lang::{lang, told},
    table,
};

const PAGE: i32 = 1_000;

/// For programs, and for people in English.
const HEADER: [&str; 8] = ["time", "subject", "region", "act", "by", "found", "household", "reference"];

/// For people in Chinese.
const HEADER_ZH: [&str; 8] = ["时间", "人员", "区划", "行为", "依据", "查到户数", "户", "文号"];

/// Lists who looked people up or had them revealed, newest first: by what kind of key and how many were found, or whom and why.
///
/// What was looked for is nowhere kept. Needs a token of the role auditor for the region or for one above it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin token --role auditor --region 441800000000 --subject li > auditor.token
  tongxin audit 441823000000 --token-file auditor.token --since 2025-06-01 --until 2025-06-30
  tongxin audit 441800000000 --token-file auditor.token --format csv > disclosures.csv
  tongxin audit 441800000000 --token-file auditor.token --format json | jq -r .subject | sort | uniq -c")]
pub struct Args {
    /// Where it was looked, 12-digit code
    #[arg(value_name = "REGION", value_parser = region)]
    region: RegionCode,

    /// First day, in Asia/Shanghai; from the beginning if not given
    #[arg(long, value_name = "DATE", value_parser = day)]
    since: Option<NaiveDate>,

    /// Last day; up to now if not given
    #[arg(long, value_name = "DATE", value_parser = day)]
    until: Option<NaiveDate>,

    /// Who alone, as `issuer|subject`, which the list shows
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,

    /// Reveals of this household alone (UUID)
    #[arg(long, value_name = "ID")]
    household: Option<String>,

    /// A table for people, CSV for spreadsheets, or one JSON object a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Table,
    Csv,
    Json,
}

pub async fn run(args: Args) -> Result<()> {
    let gateway = args.target.connect().await?;
    let request = ListDisclosuresRequest {
        region_code: args.region.to_string(),
        since: args.since.map(Into::into),
        until: args.until.map(Into::into),
        subject: args.subject.unwrap_or_default(),
        household_id: args.household.unwrap_or_default(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let header = if args.format == Format::Table { lang().of(HEADER, HEADER_ZH) } else { HEADER };
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let list = async |page_token| {
        let request = ListDisclosuresRequest { page_token, ..request.clone() };
        gateway.disclosures().list_disclosures(request).await
    };
    let take = |page: ListDisclosuresResponse| {
        for disclosure in &page.disclosures {
            let row = row(disclosure);
            if args.format == Format::Json {
                say!("{}", object(&row))?;
            } else {
                rows.push(row);
            }
        }
        Ok(page.next_page_token)
    };
    gateway.pages(list, take).await?;
    match args.format {
        Format::Json => Ok(()),
        Format::Csv => Ok(say!("{}", csv_of(&rows)?.trim_end())?),
        Format::Table => {
            say!("{}", table::render(&rows, &[5]))?;
            say!("{}", told!("{} look-ups and reveals", "共 {} 次查找和查看", rows.len() - 1))?;
            Ok(())
        }
    }
}

fn row(disclosure: &Disclosure) -> Vec<String> {
    let time = disclosure
        .disclose_time
        .as_ref()
        .and_then(|time| DateTime::<Utc>::from_timestamp(time.seconds, u32::try_from(time.nanos).unwrap_or_default()));
    let [act, by, found, household, reference] = match &disclosure.act {
        Some(Act::LookUp(look_up @ LookUp { found, .. })) => {
            ["look_up".to_owned(), look_up.key().word().to_owned(), found.to_string(), String::new(), String::new()]
        }
        Some(Act::Reveal(reveal @ Reveal { household_id, reference, .. })) => [
            "reveal".to_owned(),
            reveal.purpose().word().to_owned(),
            String::new(),
            household_id.clone(),
            reference.clone(),
        ],
        None => Default::default(),
    };
    vec![
        time.map(local_time).unwrap_or_default(),
        disclosure.subject.clone(),
        disclosure.region_code.clone(),
        act,
        by,
        found,
        household,
        reference,
    ]
}

fn object(row: &[String]) -> serde_json::Value {
    let fields = HEADER.iter().zip(row).filter(|(_, value)| !value.is_empty());
    json!(fields.map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<std::collections::BTreeMap<_, _>>())
}

fn csv_of(rows: &[Vec<String>]) -> Result<String> {
    let mut file = csv::Writer::from_writer(Vec::new());
    for row in rows {
        file.write_record(row)?;
    }
    let bytes = file.into_inner().with_context(|| told!("the rows cannot be written", "无法写出各行"))?;
    Ok(String::from_utf8(bytes)?)
}

#[cfg(test)]
mod tests {
    use tongxin_proto::monitoring::v1::{LookUpKey, RevealPurpose};

    use super::*;

    fn disclosure(act: Act) -> Disclosure {
        Disclosure {
            disclose_time: Some(prost_types::Timestamp { seconds: 1_751_256_000, nanos: 0 }),
            subject: "tongxin-up|li".to_owned(),
            region_code: "441823107201".to_owned(),
            act: Some(act),
            ..Disclosure::default()
        }
    }

    #[test]
    fn a_look_up_says_by_what_and_a_reveal_whom_and_why() {
        let look_up = row(&disclosure(Act::LookUp(LookUp { key: LookUpKey::IdNumber.into(), found: 1 })));
        assert_eq!(look_up[..6], ["2025-06-30 12:00:00", "tongxin-up|li", "441823107201", "look_up", "id_number", "1"]);
        let purpose = RevealPurpose::HomeVisit.into();
        let reveal = Reveal { household_id: "0197".to_owned(), purpose, reference: "粤帮〔2025〕7号".to_owned() };
        let reveal = row(&disclosure(Act::Reveal(reveal)));
        assert_eq!(reveal[3..], ["reveal", "home_visit", "", "0197", "粤帮〔2025〕7号"]);
        assert_eq!(object(&reveal)["by"], "home_visit");
        assert!(csv_of(&[look_up, reveal]).unwrap().ends_with("reveal,home_visit,,0197,粤帮〔2025〕7号\n"));
    }
}
