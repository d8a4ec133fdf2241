//! `tongxin export`: what is kept, as files that `tongxin import` takes.

use std::{
    io::BufWriter,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use tongxin_files::{Cell, Form, Output};
use tongxin_platform::region::RegionCode;
use tongxin_proto::{
    monitoring::v1::{
        Case, Household, HouseholdDraft, ListCasesRequest, ListCasesResponse, ListHouseholdsRequest,
        ListHouseholdsResponse, Member, MemberDraft,
    },
    pairing::v1::{
        ListOrganisationsRequest, ListOrganisationsResponse, ListPairingsRequest, ListPairingsResponse, Organisation,
        OrganisationDraft, Pairing, PairingDraft,
    },
};

use super::region;
use crate::{
    client::{Gateway, Target},
    lang::{lang, told},
    output::Results,
    progress::Progress,
};

const PAGE: i32 = 1_000;

/// The most households of a page with members.
const PAGE_WITH_MEMBERS: i32 = 200;

/// Writes organisations, pairings, households or cases of a region into a file: CSV, or XLSX if its name says so.
///
/// What is personal is masked, and the health of members is left out. Organisations, pairings and households come back by
/// `tongxin import` as unchanged; cases are only written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tongxin export households 441823107000 --out households.xlsx
  tongxin export organisations 441800000000 > organisations.csv
  tongxin export cases 441823000000 --lang zh --out 个案.xlsx")]
pub struct Args {
    /// What to write
    #[arg(value_name = "KIND")]
    kind: Kind,

    /// Whose, 12-digit code
    #[arg(value_name = "REGION", value_parser = region)]
    region: RegionCode,

    /// File to write; CSV on standard output if not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Organisations,
    Pairings,
    Households,
    Cases,
}

impl Kind {
    const fn names(self) -> [&'static str; 2] {
        match self {
            Self::Organisations => ["organisations", "单位"],
            Self::Pairings => ["pairings", "结对"],
            Self::Households => ["households", "监测户"],
            Self::Cases => ["cases", "个案"],
        }
    }
}

pub async fn run(args: Args) -> Result<()> {
    let gateway = args.target.connect().await?;
    let [en, zh] = args.kind.names();
    let name = lang().of(en, zh);
    if let Some(path) = args.out.as_ref().filter(|path| path.exists()) {
        let file = path.display();
        bail!(told!("{file} is there already: move it away, or name another", "{file} 已存在：请先移走，或另选文件名"));
    }
    let is_table = |path: &Path| {
        ["csv", "xlsx"].iter().any(|kind| path.extension().is_some_and(|end| end.eq_ignore_ascii_case(kind)))
    };
    if args.out.as_ref().is_some_and(|path| !is_table(path)) {
        bail!(told!("--out has to end in .csv or .xlsx", "--out 须以 .csv 或 .xlsx 结尾"));
    }
    let output = match &args.out {
        Some(path) => Output::create(path, name).with_context(|| path.display().to_string())?,
        None => Output::csv(Box::new(BufWriter::new(Results)))?,
    };
    let mut export = Export {
        gateway,
        region_code: args.region.to_string(),
        output,
        progress: Progress::begin(name, None),
        rows: 0,
    };
    match args.kind {
        Kind::Organisations => export.organisations().await?,
        Kind::Pairings => export.pairings().await?,
        Kind::Households => export.households().await?,
        Kind::Cases => export.cases().await?,
    }
    export.output.finish()?;
    export.progress.end(&export.rows.to_string());
    Ok(())
}

/// An export in progress.
struct Export {
    gateway: Gateway,
    region_code: String,
    output: Output,
    progress: Progress,
    rows: u64,
}

impl Export {
    /// Writes the header; headings in brackets are remarks, which an import passes over.
    fn begin(&mut self, form: &Form, remarks: &[&str]) -> Result<()> {
        let mut header = form.headings(lang());
        header.extend(remarks.iter().map(|remark| Cell::Text((*remark).to_owned())));
        Ok(self.output.line(&header)?)
    }

    fn row<Row: prost::Message>(&mut self, form: &Form, row: &Row, remarks: &[String]) -> Result<()> {
        let lines = form.lines_of(row, lang());
        // A household whose members have all left has none.
        self.rows += u64::from(!lines.is_empty());
        for mut line in lines {
            line.extend(remarks.iter().map(|remark| Cell::Text(remark.clone())));
            self.output.line(&line)?;
        }
        self.progress.reach(self.rows);
        Ok(())
    }

    async fn organisations(&mut self) -> Result<()> {
        let form = Form::of::<OrganisationDraft>();
        self.begin(&form, &[])?;
        let (gateway, region_code) = (self.gateway.clone(), self.region_code.clone());
        let list = async |page_token| {
            let request = ListOrganisationsRequest {
                region_code: region_code.clone(),
                page_size: PAGE,
                page_token,
                ..Default::default()
            };
            gateway.pairing().list_organisations(request).await
        };
        let take = |page: ListOrganisationsResponse| {
            // What is closed is no longer registered by anybody.
            for organisation in page.organisations.into_iter().filter(|organisation| organisation.closed_on.is_none()) {
                self.row(&form, &organisation_draft(organisation), &[])?;
            }
            Ok(page.next_page_token)
        };
        gateway.pages(list, take).await
    }

    async fn pairings(&mut self) -> Result<()> {
        let form = Form::of::<PairingDraft>();
        self.begin(&form, &lang().of(["(supporter)", "(recipient)"], ["（帮扶方名称）", "（受帮扶方名称）"]))?;
        let (gateway, region_code) = (self.gateway.clone(), self.region_code.clone());
        let list = async |page_token| {
            let request = ListPairingsRequest {
                region_code: region_code.clone(),
                page_size: PAGE,
                page_token,
                ..Default::default()
            };
            gateway.pairing().list_pairings(request).await
        };
        let take = |page: ListPairingsResponse| {
            for pairing in page.pairings {
                let names = [pairing.supporter_name.clone(), pairing.recipient_name.clone()];
                self.row(&form, &pairing_draft(pairing), &names)?;
            }
            Ok(page.next_page_token)
        };
        gateway.pages(list, take).await
    }

    async fn households(&mut self) -> Result<()> {
        let form = Form::of::<HouseholdDraft>();
        self.begin(&form, &[])?;
        let (gateway, region_code) = (self.gateway.clone(), self.region_code.clone());
        let list = async |page_token| {
            let region_code = region_code.clone();
            let request =
                ListHouseholdsRequest { region_code, page_size: PAGE_WITH_MEMBERS, page_token, with_members: true };
            gateway.households().list_households(request).await
        };
        let take = |page: ListHouseholdsResponse| {
            for household in page.households {
                self.row(&form, &household_draft(household), &[])?;
            }
            Ok(page.next_page_token)
        };
        gateway.pages(list, take).await
    }

    async fn cases(&mut self) -> Result<()> {
        let form = Form::of::<Case>();
        self.begin(&form, &[])?;
        let (gateway, region_code) = (self.gateway.clone(), self.region_code.clone());
        let list = async |page_token| {
            let request = ListCasesRequest {
                region_code: region_code.clone(),
                page_size: PAGE,
                page_token,
                ..Default::default()
            };
            gateway.cases().list_cases(request).await
        };
        let take = |page: ListCasesResponse| {
            for case in page.cases {
                self.row(&form, &case, &[])?;
            }
            Ok(page.next_page_token)
        };
        gateway.pages(list, take).await
    }
}

fn organisation_draft(kept: Organisation) -> OrganisationDraft {
    let Organisation { organisation_id, name, kind, side, host_kind, region_code, credit_code, .. } = kept;
    OrganisationDraft { organisation_id, name, kind, side, host_kind, region_code, credit_code }
}

fn pairing_draft(kept: Pairing) -> PairingDraft {
    let Pairing { pairing_id, kind, supporter_id, recipient_id, agreement_number, starts_on, ends_on, .. } = kept;
    PairingDraft {
        pairing_id,
        kind,
        supporter_id,
        recipient_id,
        agreement_number,
        starts_on,
        ends_on,
        ..Default::default()
    }
}

/// As lists show it: masked, and without health.
fn household_draft(kept: Household) -> HouseholdDraft {
    let Household { household_id, household_number, region_code, lifted_from_poverty, support, registered_on, .. } =
        kept;
    let belongs = |member: &Member| member.left_on.is_none();
    HouseholdDraft {
        household_id,
        household_number,
        region_code,
        lifted_from_poverty,
        support,
        registered_on,
        address: kept.masked_address,
        bank_account: kept.masked_bank_account,
        members: kept.members.into_iter().filter(belongs).map(member_draft).collect(),
    }
}

fn member_draft(kept: Member) -> MemberDraft {
    MemberDraft {
        name: kept.masked_name,
        id_number: kept.masked_id_number,
        phone: kept.masked_phone,
        relation: kept.relation,
        labour: kept.labour,
        schooling: kept.schooling,
        insurances: kept.insurances,
        work: kept.work,
        work_months: kept.work_months,
        health: Vec::new(),
    }
}
