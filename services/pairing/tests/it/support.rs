//! The service as it is in production, on a database of the test's own.

use chrono::{DateTime, NaiveDate, Utc};
use futures::stream;
use prost::{Message, Name};
use serde_json::json;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tongxin_pairing::{Config, CoverageRules, KIND};
use tongxin_platform::testing::{Database, Running, TestWorld};
use tongxin_proto::{
    Date,
    pairing::v1::{
        self, ImportRegionsRequest, ImportRegionsResponse, RegionEdition, RegionRow, RegionRows,
        import_regions_request::Part, pairing_service_client::PairingServiceClient,
    },
    register::v1::RegionLevel,
};
use tonic::{
    Code, Request, Status, metadata::MetadataValue, service::interceptor::InterceptedService, transport::Channel,
};
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// Yangshan County, its town Taiping, and two of its villages.
pub const COUNTY: &str = "441823000000";
pub const TOWN: &str = "441823107000";
pub const VILLAGE: &str = "441823107201";
pub const OTHER_VILLAGE: &str = "441823107202";
/// Another county, and Guangdong, which holds them all.
pub const OTHER_COUNTY: &str = "441825000000";
pub const PROVINCE: &str = "440000000000";

/// A client that puts one token on every call.
pub type Client = PairingServiceClient<InterceptedService<Channel, Bearer>>;

#[derive(Clone)]
pub struct Bearer(MetadataValue<tonic::metadata::Ascii>);

impl tonic::service::Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

pub struct TestApp {
    pub world: TestWorld,
    pub database: Database,
    /// Of the role that owns the tables, which sees all.
    pub owner: PgPool,
    channel: Channel,
    running: Running,
}

/// The moment at which tests stand still: 2025-06-30, noon in Shanghai.
pub fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2025-06-30T04:00:00Z").unwrap().into()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "as fields of messages have it")]
pub fn date(text: &str) -> Option<Date> {
    Some(day(text).into())
}

pub fn new_request_id() -> String {
    Uuid::new_v4().to_string()
}

impl TestApp {
    pub async fn start() -> Self {
        let database = Database::migrated(&KIND.migrations()).await;
        Self::on(database, CoverageRules::default()).await
    }

    /// Stopped, and started again with other coverage rules.
    pub async fn restart(self, rules: CoverageRules) -> Self {
        Self::on(self.database, rules).await
    }

    /// Another replica on the same database, with coverage rules of its own.
    pub async fn replica(&self, rules: CoverageRules) -> Self {
        Self::on(self.database.clone(), rules).await
    }

    async fn on(database: Database, coverage: CoverageRules) -> Self {
        let world = TestWorld::at(now()).await;
        let config = world.settings::<Config>(&database, json!({ "coverage": coverage }));
        let running = Running::start(config, world.shared.clone()).await;
        Self {
            world,
            owner: PgPoolOptions::new().max_connections(2).connect(&database.owner_url).await.unwrap(),
            channel: running.channel(),
            database,
            running,
        }
    }

    /// Started, with a register of two counties that was in force from 2021 on.
    pub async fn with_register() -> Self {
        let app = Self::start().await;
        app.import("2021-01-01", register()).await.unwrap();
        app
    }

    /// What `/readyz` answers.
    pub async fn readiness(&self) -> String {
        let mut connection = TcpStream::connect(self.running.admin).await.unwrap();
        connection.write_all(b"GET /readyz HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        answer
    }

    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub fn client(&self, role: &str, region: &str) -> Client {
        let token = MetadataValue::try_from(format!("Bearer {}", self.world.token(role, region))).unwrap();
        PairingServiceClient::with_interceptor(self.channel.clone(), Bearer(token))
    }

    /// Headquarters, which may do what towns may, everywhere and for any date.
    pub fn hq(&self) -> Client {
        self.client("hq", PROVINCE)
    }

    /// Imports an edition and returns the last answer.
    pub async fn import(&self, effective_from: &str, rows: Vec<RegionRow>) -> Result<ImportRegionsResponse, Status> {
        let edition = RegionEdition {
            request_id: new_request_id(),
            effective_from: date(effective_from),
            complete_for: String::new(),
            source: String::new(),
            row_count: 0,
        };
        self.import_as(edition, rows).await
    }

    pub async fn import_as(
        &self,
        edition: RegionEdition,
        rows: Vec<RegionRow>,
    ) -> Result<ImportRegionsResponse, Status> {
        self.import_by(self.client("operator", PROVINCE), edition, rows).await
    }

    pub async fn import_by(
        &self,
        mut operator: Client,
        edition: RegionEdition,
        rows: Vec<RegionRow>,
    ) -> Result<ImportRegionsResponse, Status> {
        let parts = [Part::Edition(edition), Part::Rows(RegionRows { rows })];
        let requests = parts.map(|part| ImportRegionsRequest { part: Some(part) });
        let mut answers = operator.import_regions(stream::iter(requests)).await?.into_inner();
        let mut last = None;
        while let Some(answer) = answers.message().await? {
            last = Some(answer);
        }
        Ok(last.expect("an import is answered"))
    }

    pub async fn register(&self, draft: v1::OrganisationDraft) -> v1::Organisation {
        let request = v1::RegisterOrganisationRequest { request_id: new_request_id(), organisation: Some(draft) };
        self.hq().register_organisation(request).await.unwrap().into_inner().organisation.unwrap()
    }

    /// Registers a supporter of a kind of body, and the party organisation of a village, and pairs them.
    pub async fn pair(&self, host: v1::OrganisationKind, village: &str, starts_on: &str) -> v1::Pairing {
        let supporter = self.register(party_supporter(host)).await;
        let recipient = self.register(party_recipient(village)).await;
        self.establish(&supporter, &recipient, starts_on).await.unwrap()
    }

    pub async fn establish(
        &self,
        supporter: &v1::Organisation,
        recipient: &v1::Organisation,
        starts_on: &str,
    ) -> Result<v1::Pairing, Status> {
        let request = v1::EstablishPairingRequest {
            request_id: new_request_id(),
            pairing: Some(party_pairing(supporter, recipient, starts_on)),
        };
        Ok(self.hq().establish_pairing(request).await?.into_inner().pairing.unwrap())
    }

    pub async fn end(&self, pairing: &v1::Pairing, ends_on: &str) -> Result<v1::Pairing, Status> {
        let request = v1::EndPairingRequest {
            request_id: new_request_id(),
            pairing_id: pairing.pairing_id.clone(),
            ends_on: date(ends_on),
            reason: "merged".to_owned(),
            expected_version: 0,
        };
        Ok(self.hq().end_pairing(request).await?.into_inner().pairing.unwrap())
    }

    /// Covered villages, and all that are assisted.
    pub async fn coverage(&self, region: &str, rule: &str, as_of: &str) -> (i32, i32) {
        let request =
            v1::GetCoverageRequest { region_code: region.to_owned(), rule: rule.to_owned(), as_of: date(as_of) };
        let coverage = self.hq().get_coverage(request).await.unwrap().into_inner().coverage.unwrap();
        (coverage.covered, coverage.total)
    }

    /// How many rows of imports are set aside.
    pub async fn set_aside(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM region_import").fetch_one(&self.owner).await.unwrap()
    }

    /// How many events the log has.
    pub async fn all_events(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&self.owner).await.unwrap()
    }

    /// The events of one type in the log, oldest first, whether sequenced or not.
    pub async fn events<E: Message + Name + Default>(&self) -> Vec<E> {
        let payloads: Vec<Vec<u8>> = sqlx::query_scalar("SELECT payload FROM event WHERE event_type = $1 ORDER BY id")
            .bind(E::full_name())
            .fetch_all(&self.owner)
            .await
            .unwrap();
        payloads.iter().map(|payload| E::decode(payload.as_slice()).unwrap()).collect()
    }
}

/// What a caller is told: the code, the reason, and the fields that are wrong.
pub fn told(status: &Status) -> (Code, String, Vec<String>) {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    let invalid = details.bad_request().into_iter().flat_map(|bad| &bad.field_violations).map(|one| &one.field);
    let unmet = details.precondition_failure().into_iter().flat_map(|unmet| &unmet.violations).map(|one| &one.subject);
    (status.code(), reason, invalid.chain(unmet).cloned().collect())
}

/// Makes sure that a caller is told what is wrong, and with which field.
pub fn refused(status: &Status, code: Code, reason: &str, field: &str) {
    assert_eq!(told(status), (code, reason.to_owned(), vec![field.to_owned()]), "{status:?}");
}

pub fn row(code: &str, name: &str, level: RegionLevel, parent: &str, assisted: bool) -> RegionRow {
    RegionRow {
        code: code.to_owned(),
        name: name.to_owned(),
        level: level.into(),
        parent_code: parent.to_owned(),
        assisted,
    }
}

pub fn register() -> Vec<RegionRow> {
    use RegionLevel::{City, Community, County, Province, Town, Village};
    vec![
        row(PROVINCE, "广东省", Province, "", false),
        row("440100000000", "广州市", City, PROVINCE, false),
        row("441800000000", "清远市", City, PROVINCE, false),
        row(COUNTY, "阳山县", County, "441800000000", false),
        row(TOWN, "太平镇", Town, COUNTY, true),
        row("441823107001", "太平社区", Community, TOWN, false),
        row(VILLAGE, "沙塘村", Village, TOWN, true),
        row(OTHER_VILLAGE, "沙陂村", Village, TOWN, true),
        row(OTHER_COUNTY, "连山壮族瑶族自治县", County, "441800000000", false),
        row("441825104000", "吉田镇", Town, OTHER_COUNTY, true),
        row("441825104200", "三水村", Village, "441825104000", true),
    ]
}

pub fn draft(
    name: &str,
    kind: v1::OrganisationKind,
    side: v1::OrganisationSide,
    region: &str,
) -> v1::OrganisationDraft {
    v1::OrganisationDraft {
        name: name.to_owned(),
        kind: kind.into(),
        side: side.into(),
        region_code: region.to_owned(),
        ..v1::OrganisationDraft::default()
    }
}

pub fn party_supporter(host: v1::OrganisationKind) -> v1::OrganisationDraft {
    let supporter = draft(
        "广州市某单位党支部",
        v1::OrganisationKind::PartyOrganisation,
        v1::OrganisationSide::Supporter,
        "440100000000",
    );
    v1::OrganisationDraft { host_kind: host.into(), ..supporter }
}

pub fn party_recipient(village: &str) -> v1::OrganisationDraft {
    let recipient =
        draft("某村党支部", v1::OrganisationKind::PartyOrganisation, v1::OrganisationSide::Recipient, village);
    v1::OrganisationDraft { host_kind: v1::OrganisationKind::VillageCollective.into(), ..recipient }
}

pub fn party_pairing(supporter: &v1::Organisation, recipient: &v1::Organisation, starts_on: &str) -> v1::PairingDraft {
    v1::PairingDraft {
        kind: v1::PairingKind::Party.into(),
        supporter_id: supporter.organisation_id.clone(),
        recipient_id: recipient.organisation_id.clone(),
        agreement_number: "粤帮〔2021〕1号".to_owned(),
        starts_on: date(starts_on),
        ..v1::PairingDraft::default()
    }
}
