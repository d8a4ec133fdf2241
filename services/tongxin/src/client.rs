//! Calls to a gateway, and explanations of their errors.

use std::{
    fs, io,
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use tokio::time::timeout;
use tongxin_platform::{
    access::{Credentials, LocalKey},
    clock::Clock,
};
use tongxin_proto::{
    gateway::v1::gateway_service_client::GatewayServiceClient,
    monitoring::v1::{
        case_service_client::CaseServiceClient, disclosure_service_client::DisclosureServiceClient,
        household_service_client::HouseholdServiceClient, observation_service_client::ObservationServiceClient,
        rule_service_client::RuleServiceClient, signal_service_client::SignalServiceClient,
        village_service_client::VillageServiceClient,
    },
    pairing::v1::pairing_service_client::PairingServiceClient,
};
use tonic::{Code, Response, Status, Streaming, service::interceptor::InterceptedService, transport::Channel};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::{
    instance::{DATA_DIR, Instance, write_private},
    lang::{lang, told},
    patience::Patience,
    place::Place,
    progress::Progress,
    reach,
    said::said,
    unreachable,
};

/// After so long without a response somebody wants to know whether anything happens.
const SILENCE: Duration = Duration::from_secs(2);

/// A connection with credentials.
pub type Authorized = InterceptedService<Channel, Credentials>;

/// Which gateway to call.
#[derive(Debug, Args)]
pub struct Target {
    /// Folder of the running `tongxin up`
    #[arg(long, value_name = "FOLDER", default_value = DATA_DIR)]
    data_dir: PathBuf,

    /// Address of another gateway, for example `https://gateway.example` or `http://gateway:7400`
    #[arg(long, value_name = "URL", requires = "token_file")]
    gateway: Option<String>,

    /// PEM file with the CA that signed the certificate of an `https://` gateway; otherwise this machine's CAs are trusted
    #[arg(long, value_name = "FILE", requires = "gateway")]
    ca_file: Option<PathBuf>,

    /// File with the token for that gateway
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

#[derive(Clone)]
pub struct Gateway {
    place: Place,
    connection: Authorized,
    /// Whether a `tongxin up` signed the token.
    is_own_token: bool,
}

impl Target {
    /// A gateway that listens.
    ///
    /// # Errors
    /// Within two seconds if there is none.
    pub async fn connect(&self) -> Result<Gateway> {
        let gateway = self.gateway(|instance| instance.token_file)?;
        reach::listening(&gateway.place).await?;
        Ok(gateway)
    }

    /// The same, but goes on trying for a minute, for long work that may be begun while a gateway starts again.
    pub async fn connect_soon(&self) -> Result<Gateway> {
        let gateway = self.gateway(|instance| instance.token_file)?;
        reach::listening_soon(&gateway.place).await?;
        Ok(gateway)
    }

    /// The same, but by default with the token for the register of a running `tongxin up`.
    pub async fn connect_for_register(&self) -> Result<Gateway> {
        let gateway = self.gateway(|instance| instance.operator_token_file)?;
        reach::listening_soon(&gateway.place).await?;
        Ok(gateway)
    }

    fn gateway(&self, own_token: impl FnOnce(Instance) -> PathBuf) -> Result<Gateway> {
        let (place, token_file) = self.found(own_token)?;
        Gateway::at(place, &token_file)
    }

    /// The namespace of identifiers derived from a file's content: a secret beside the token, created at first use.
    /// Services store such identifiers; without a secret, anyone who reads them could test guesses of the content.
    pub fn namespace(&self) -> Result<Uuid> {
        let (_, token_file) = self.found(|instance| instance.token_file)?;
        let file = token_file.with_file_name("import.namespace");
        match fs::read_to_string(&file) {
            Ok(text) => {
                text.trim().parse().with_context(|| told!("{} holds no UUID", "{} 的内容不是 UUID", file.display()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let new = Uuid::new_v4();
                write_private(&file, &new.to_string()).with_context(|| {
                    told!("--import-id does without that file", "用 --import-id 指定导入编号就不需要这个文件")
                })?;
                Ok(new)
            }
            Err(error) => Err(error).with_context(|| told!("cannot read {}", "无法读取 {}", file.display())),
        }
    }

    /// The gateway and the token file, by default of a running `tongxin up`.
    fn found(&self, own_token: impl FnOnce(Instance) -> PathBuf) -> Result<(Place, PathBuf)> {
        if let Some(address) = self.gateway.clone() {
            let place = Place { address, ca_file: self.ca_file.clone() };
            return Ok((place, self.token_file.clone().unwrap_or_default()));
        }
        let instance = Instance::find(&self.data_dir)?;
        let place = instance.place();
        Ok((place, self.token_file.clone().unwrap_or_else(|| own_token(instance))))
    }
}

impl Gateway {
    pub fn at(place: Place, token_file: &Path) -> Result<Self> {
        let credentials = Credentials::file(token_file.to_owned(), Clock::system());
        let token = credentials
            .token()
            .with_context(|| told!("cannot read the token in {}", "无法读取 {} 中的令牌", token_file.display()))?;
        Ok(Self { is_own_token: LocalKey::is_named_by(&token), ..Self::with_credentials(place, credentials)? })
    }

    pub fn with_credentials(place: Place, credentials: Credentials) -> Result<Self> {
        let channel = place.channel()?;
        Ok(Self { place, connection: InterceptedService::new(channel, credentials), is_own_token: true })
    }

    pub fn figures(&self) -> GatewayServiceClient<Authorized> {
        GatewayServiceClient::new(self.connection.clone())
    }

    pub fn pairing(&self) -> PairingServiceClient<Authorized> {
        PairingServiceClient::new(self.connection.clone())
    }

    pub fn households(&self) -> HouseholdServiceClient<Authorized> {
        HouseholdServiceClient::new(self.connection.clone())
    }

    pub fn disclosures(&self) -> DisclosureServiceClient<Authorized> {
        DisclosureServiceClient::new(self.connection.clone())
    }

    pub fn observations(&self) -> ObservationServiceClient<Authorized> {
        ObservationServiceClient::new(self.connection.clone())
    }

    pub fn rules(&self) -> RuleServiceClient<Authorized> {
        RuleServiceClient::new(self.connection.clone())
    }

    pub fn signals(&self) -> SignalServiceClient<Authorized> {
        SignalServiceClient::new(self.connection.clone())
    }

    pub fn cases(&self) -> CaseServiceClient<Authorized> {
        CaseServiceClient::new(self.connection.clone())
    }

    pub fn villages(&self) -> VillageServiceClient<Authorized> {
        VillageServiceClient::new(self.connection.clone())
    }

    /// Makes a call, and repeats it while the server responds that it may be retried.
    pub async fn call<T>(&self, mut call: impl AsyncFnMut() -> Result<Response<T>, Status>) -> Result<T> {
        let mut patience = Patience::with_answers();
        loop {
            match self.noting(call()).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) if patience.again(&status, |note| note!("{note}")).await => {}
                Err(status) => return Err(self.explain(&status)),
            }
        }
    }

    /// Awaits a response, and says after two seconds that there is none yet.
    pub async fn noting<T>(&self, response: impl Future<Output = T>) -> T {
        let mut response = pin!(response);
        if let Ok(response) = timeout(SILENCE, &mut response).await {
            return response;
        }
        let address = &self.place.address;
        note!("{}", told!("{address} has not answered yet; still waiting", "{address} 尚未答复，继续等待"));
        response.await
    }

    /// Lists something page by page: `call` gets the token of a page, `take` handles a page and returns the token of the
    /// next one.
    pub async fn pages<T>(
        &self,
        mut call: impl AsyncFnMut(String) -> Result<Response<T>, Status>,
        mut take: impl FnMut(T) -> Result<String>,
    ) -> Result<()> {
        let mut token = String::new();
        loop {
            let page = self.call(async || call(token.clone()).await).await?;
            token = take(page)?;
            if token.is_empty() {
                return Ok(());
            }
        }
    }

    /// Shows the progress of work on households until its last response. `reached` says how many were handled, and
    /// whether the response is the last.
    pub async fn follow<T>(&self, mut answers: Streaming<T>, reached: impl Fn(&T) -> (i64, bool)) -> Result<T> {
        let progress = Progress::begin(told!("households", "户"), None);
        while let Some(answer) = answers.message().await.map_err(|status| self.explain(&status))? {
            let (households, is_last) = reached(&answer);
            progress.reach(households.unsigned_abs());
            if is_last {
                progress.end(&households.to_string());
                return Ok(answer);
            }
        }
        bail!(told!("the service ended without a result", "服务没有给出结果就结束了"))
    }

    /// How to get a better token.
    fn token_advice(&self) -> &'static str {
        if self.is_own_token {
            lang().of(
                "`tongxin token` makes one where `tongxin up` runs",
                "在运行 `tongxin up` 的机器上可用 `tongxin token` 签发新令牌",
            )
        } else {
            lang().of(
                "Ask whoever issued it for a new one; your operator can see why with `tongxin token --inspect --config`",
                "请向签发人换一个新的；原因可请运维人员用 `tongxin token --inspect --config` 查看",
            )
        }
    }

    /// For `map_err`: explains a response to the user of the command.
    pub fn explain(&self, status: &Status) -> anyhow::Error {
        if is_unreachable(status)
            && let Some(why) = unreachable::explain(status, &self.place)
        {
            return why;
        }
        let said = said(status);
        match status.code() {
            Code::Unavailable if is_unreachable(status) => anyhow!(reach::nobody(&self.place)),
            Code::NotFound if is_unknown_region(status) => anyhow!(told!(
                "{said}: is it registered (`tongxin import regions`), and within the region of the token?",
                "{said}：区划导入了吗（`tongxin import regions`）？在令牌的管辖范围内吗？"
            )),
            Code::Unauthenticated => anyhow!(told!(
                "the gateway refuses the token: {said}. {}",
                "网关不接受这个令牌：{said}。{}",
                self.token_advice()
            )),
            Code::PermissionDenied => anyhow!(told!(
                "not allowed: {said}. A token of another role may be needed",
                "没有权限：{said}。可能要换用其他角色的令牌"
            )),
            Code::Unavailable => anyhow!(told!(
                "{said}: try again later; sending the same request again is safe",
                "{said}：请稍后再试，同样的请求再发一次不会重复办理"
            )),
            _ => anyhow!(said),
        }
    }
}

/// Responses of a server carry details; failed connections have none.
fn is_unreachable(status: &Status) -> bool {
    status.get_details_error_info().is_none()
}

fn is_unknown_region(status: &Status) -> bool {
    status.get_details_error_info().is_some_and(|info| info.reason == "REGION_NOT_FOUND")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_files_take_a_secret_of_whoever_imports() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let namespace = |folder: &tempfile::TempDir| {
            let target = Target {
                data_dir: PathBuf::new(),
                gateway: Some("http://gateway:7400".to_owned()),
                ca_file: None,
                token_file: Some(folder.path().join("token")),
            };
            target.namespace().unwrap()
        };
        let [one, other] = folders.each_ref().map(namespace);
        assert_ne!(one, other, "nobody can try what a file holds without the secret");
        assert_eq!(folders.each_ref().map(namespace), [one, other], "the same file gets the same identifier");
        let file = fs::metadata(folders[0].path().join("import.namespace")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o777, 0o600);
    }
}
