//! Clients of a gateway.

use std::path::Path;

use anyhow::{Context as _, Result};
use tongxin_platform::{
    access::{LocalKey, TokenRequest},
    clock::Clock,
    region::RegionCode,
};
use tongxin_proto::{
    Date,
    gateway::v1::{GetScorecardRequest, Scorecard, gateway_service_client::GatewayServiceClient},
    monitoring::v1::{
        case_service_client::CaseServiceClient, household_service_client::HouseholdServiceClient,
        observation_service_client::ObservationServiceClient, rule_service_client::RuleServiceClient,
        signal_service_client::SignalServiceClient, village_service_client::VillageServiceClient,
    },
    pairing::v1::pairing_service_client::PairingServiceClient,
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

use crate::Instance;

/// Puts a token on every call; without one, none.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// A client of pairing.
pub type Pairing = PairingServiceClient<Connection>;

/// A client of the gateway's own service.
pub type Gateway = GatewayServiceClient<Connection>;

/// A connection that carries a token.
pub type Connection = InterceptedService<Channel, Bearer>;

/// Makes clients of one gateway.
#[derive(Clone)]
pub struct Clients {
    address: String,
    authority: Option<Certificate>,
    token: Bearer,
}

impl Clients {
    /// Clients with the token that `up` wrote.
    ///
    /// # Errors
    /// When the token cannot be read, or the CA where there is one.
    pub fn of(instance: &Instance) -> Result<Self> {
        let token = std::fs::read_to_string(&instance.token_file).context("no token")?;
        let authority = instance.ca_file.as_ref().map(std::fs::read).transpose().context("no CA")?;
        let clients = Self::with_token(&instance.gateway, Some(token.trim()))?;
        Ok(Self { authority: authority.map(Certificate::from_pem), ..clients })
    }

    /// Clients with some token, or none.
    ///
    /// # Errors
    /// When the token cannot be a header.
    pub fn with_token(address: &str, token: Option<&str>) -> Result<Self> {
        let header = |token: &str| MetadataValue::try_from(format!("Bearer {token}"));
        let token = Bearer(token.map(header).transpose()?);
        Ok(Self { address: address.to_owned(), authority: None, token })
    }

    /// Clients with a token that the key in a data folder signs at a moment of the clock.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn signed(address: &str, data_dir: &Path, (role, region): (&str, &str), clock: &Clock) -> Result<Self> {
        Self::signed_for(address, data_dir, (&format!("{role}@{region}"), role, region), clock)
    }

    /// The same for somebody by that name.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn signed_for(
        address: &str,
        data_dir: &Path,
        (subject, role, region): (&str, &str, &str),
        clock: &Clock,
    ) -> Result<Self> {
        let request = TokenRequest {
            subject: subject.to_owned(),
            roles: vec![role.to_owned()],
            region: RegionCode::parse_of_caller(region)?,
            department: None,
            lifetime: std::time::Duration::from_mins(1),
        };
        let token = LocalKey::in_folder(data_dir)?.sign(&request, clock)?;
        Self::with_token(address, Some(&token))
    }

    /// The same clients at another address.
    #[must_use]
    pub fn at(&self, address: &str) -> Self {
        Self { address: address.to_owned(), ..self.clone() }
    }

    /// A client of pairing, on a connection of its own.
    ///
    /// # Errors
    /// When the address is none.
    pub fn pairing(&self) -> Result<Pairing> {
        Ok(PairingServiceClient::with_interceptor(self.channel()?, self.token.clone()))
    }

    /// A client of the gateway's own service, on a connection of its own.
    ///
    /// # Errors
    /// When the address is none.
    pub fn gateway(&self) -> Result<Gateway> {
        Ok(GatewayServiceClient::with_interceptor(self.channel()?, self.token.clone()))
    }

    /// A client of monitoring for households, on a connection of its own.
    ///
    /// # Errors
    /// When the address is none.
    pub fn households(&self) -> Result<HouseholdServiceClient<Connection>> {
        Ok(HouseholdServiceClient::with_interceptor(self.channel()?, self.token.clone()))
    }

    /// Clients of monitoring for households on one connection, each with the token of one of these.
    ///
    /// # Errors
    /// When the address is none.
    pub fn households_on_one(all: &[Self]) -> Result<Vec<HouseholdServiceClient<Connection>>> {
        let Some(first) = all.first() else { return Ok(Vec::new()) };
        let channel = first.channel()?;
        let client = |own: &Self| HouseholdServiceClient::with_interceptor(channel.clone(), own.token.clone());
        Ok(all.iter().map(client).collect())
    }

    /// The same for observations.
    ///
    /// # Errors
    /// When the address is none.
    pub fn observations(&self) -> Result<ObservationServiceClient<Connection>> {
        Ok(ObservationServiceClient::with_interceptor(self.channel()?, self.token.clone()))
    }

    /// The same for rules.
    ///
    /// # Errors
    /// When the address is none.
    pub fn rules(&self) -> Result<RuleServiceClient<Connection>> {
        Ok(RuleServiceClient::with_interceptor(self.channel()?, self.token.clone()))
    }

    /// The same for signals.
    ///
    /// # Errors
    /// When the address is none.
    pub fn signals(&self) -> Result<SignalServiceClient<Connection>> {
        Ok(SignalServiceClient::with_interceptor(self.channel()?, self.token.clone()))
    }

    /// The same for cases.
    ///
    /// # Errors
    /// When the address is none.
    pub fn cases(&self) -> Result<CaseServiceClient<Connection>> {
        Ok(CaseServiceClient::with_interceptor(self.channel()?, self.token.clone()))
    }

    /// The same for villages.
    ///
    /// # Errors
    /// When the address is none.
    pub fn villages(&self) -> Result<VillageServiceClient<Connection>> {
        Ok(VillageServiceClient::with_interceptor(self.channel()?, self.token.clone()))
    }

    /// A connection with the token, for calls of any service.
    ///
    /// # Errors
    /// When the address is none.
    pub fn connection(&self) -> Result<Connection> {
        Ok(InterceptedService::new(self.channel()?, self.token.clone()))
    }

    fn channel(&self) -> Result<Channel> {
        let endpoint = Endpoint::from_shared(self.address.clone())?.tcp_nodelay(true);
        let endpoint = match &self.authority {
            Some(authority) => endpoint.tls_config(ClientTlsConfig::new().ca_certificate(authority.clone()))?,
            None => endpoint,
        };
        Ok(endpoint.connect_lazy())
    }

    /// The scorecard of a region on a day, or today.
    ///
    /// # Errors
    /// What the gateway answers.
    pub async fn scorecard(&self, region: &str, as_of: Option<Date>) -> Result<Scorecard> {
        let request = GetScorecardRequest { region_code: region.to_owned(), as_of };
        let answer = self.gateway()?.get_scorecard(request).await?;
        answer.into_inner().scorecard.context("an answer without a scorecard")
    }

    /// One figure of a region on a day, or today.
    ///
    /// # Errors
    /// What the gateway answers.
    pub async fn figure(&self, region: &str, indicator: &str, as_of: Option<Date>) -> Result<i64> {
        let scorecard = self.scorecard(region, as_of).await?;
        let found = scorecard.figures.into_iter().find(|figure| figure.indicator_id == indicator);
        Ok(found.with_context(|| format!("no figure {indicator}"))?.value)
    }
}
