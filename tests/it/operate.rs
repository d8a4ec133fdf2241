//! The program as operators of a cluster use it: schemas first, then each service in a process of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use tongxin_platform::{
    access::LocalKey,
    testing::{eventually, servers},
};
use tongxin_proto::{
    gateway::v1::Scorecard,
    monitoring::v1::{
        Health, HouseholdDraft, LabourAbility, MemberDraft, RegisterHouseholdRequest, Relation, Schooling,
        SocialSupport, Work,
    },
};
use tongxin_tests::{
    Clients, Served,
    entries::{GUANGZHOU, party_pairing, recipient, register, request_id, supporter},
    run,
};

use crate::support::{QINGYUAN, VILLAGE, figures};

const SERVICES: [&str; 3] = ["pairing", "monitoring", "gateway"];

pub const REGISTER: &str = "code,name,level,parent_code,assisted
440000000000,广东省,province,,0
440100000000,广州市,city,440000000000,0
441800000000,清远市,city,440000000000,0
441823000000,阳山县,county,441800000000,0
441823107000,太平镇,town,441823000000,1
441823107200,太平村委会,village,441823107000,1
";

/// What operators have before they begin: empty databases, keys, settings.
struct Installation {
    folder: TempDir,
}

impl Installation {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (postgres, nats) = (servers().await.postgres(), servers().await.nats());
        let mut conn = PgConnection::connect(&postgres.url("postgres")).await.unwrap();
        for service in SERVICES {
            conn.execute(AssertSqlSafe(format!("CREATE DATABASE installed_{service}"))).await.unwrap();
        }
        let issuer = LocalKey::in_folder(folder.path()).unwrap().issuer().issuer;
        let owner = |service: &str| postgres.url(&format!("installed_{service}"));
        let app = |service: &str| postgres.url_as("tongxin_app", &format!("installed_{service}"));
        let file = |name: &str| folder.path().join(name).display().to_string();
        for key in ["key", "index", "requests"] {
            fs::write(file(key), format!("{key:0<64}").replace(|letter: char| !letter.is_ascii_hexdigit(), "a"))
                .unwrap();
        }
        let settings = format!(
            "token_file = '{token}'
            [[access.issuers]]
            issuer = '{issuer}'
            keys = {{ pem_file = '{public}' }}
            [nats]
            url = '{nats}'
            [migrate]
            pairing_url = '{}'
            monitoring_url = '{}'
            gateway_url = '{}'
            [pairing]
            database = {{ url = '{}' }}
            request_key_files = {{ 1 = '{requests}' }}
            [monitoring]
            database = {{ url = '{}' }}
            request_key_files = {{ 1 = '{requests}' }}
            pairing = 'http://pairing:7001'
            personal = {{ current_key = 1, key_files = {{ 1 = '{key}' }}, index_key_file = '{index}' }}
            [gateway]
            database = {{ url = '{}' }}",
            owner("pairing"),
            owner("monitoring"),
            owner("gateway"),
            app("pairing"),
            app("monitoring"),
            app("gateway"),
            token = file("system"),
            public = file("token.pub.pem"),
            nats = nats.url(),
            key = file("key"),
            index = file("index"),
            requests = file("requests"),
        );
        fs::write(file("t.toml"), settings).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn config(&self) -> PathBuf {
        self.path().join("t.toml")
    }

    /// Runs a subcommand with the settings, and returns whether it succeeded and what it said.
    async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let config = self.config();
        let output = run(&[arguments, &["--config", config.to_str().unwrap()]].concat()).await.unwrap();
        (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    }

    /// Signs a token of some roles into a file.
    async fn token(&self, name: &str, roles: &[&str]) -> PathBuf {
        let folder = self.path().to_str().unwrap();
        let mut arguments = vec!["token", "--region", "440000000000", "--subject", name, "--data-dir", folder];
        arguments.extend(roles.iter().flat_map(|role| ["--role", *role]));
        let signed = run(&arguments).await.unwrap();
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
        let file = self.path().join(name);
        fs::write(&file, signed.stdout).unwrap();
        file
    }

    async fn migrates(&self) {
        let (content, said) = self.run(&["migrate", "--check"]).await;
        assert!(!content && said.contains("run `tongxin migrate`"), "{said}");
        for service in SERVICES {
            assert!(said.contains(&format!("{service}: the schema lacks")), "{service}: {said}");
        }

        let (content, said) = self.run(&["migrate", "--service", "monitoring"]).await;
        assert!(content && said.contains("monitoring: ") && !said.contains("pairing"), "{said}");
        let (content, said) = self.run(&["serve", "pairing"]).await;
        assert!(!content && said.contains("tongxin migrate"), "{said}");

        let (content, said) = self.run(&["migrate"]).await;
        assert!(content, "{said}");
        for (command, expected) in [(&["migrate", "--check"][..], "up to date"), (&["migrate"], "was up to date")] {
            let (content, said) = self.run(command).await;
            assert!(content, "{said}");
            assert_eq!(said.matches(expected).count(), SERVICES.len(), "{said}");
        }
    }

    /// Starts all services, each told by a variable where the others are, on a machine that trusts no CA: nothing here
    /// speaks TLS.
    async fn serve(&self) -> (Vec<(&'static str, Served)>, String) {
        self.token("system", &["system"]).await;
        let start = |service, upstreams: &[(&str, &str)]| {
            let no_store = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
            Served::start(service, &self.config(), &[&no_store, upstreams].concat(), self.path()).unwrap()
        };
        let mut pairing = start("pairing", &[]);
        let pairing_at = pairing.address().await.unwrap();
        let mut monitoring = start("monitoring", &[("TONGXIN__MONITORING__PAIRING", &pairing_at)]);
        let monitoring_at = monitoring.address().await.unwrap();
        let upstreams = [
            ("TONGXIN__GATEWAY__UPSTREAMS__PAIRING", pairing_at.as_str()),
            ("TONGXIN__GATEWAY__UPSTREAMS__MONITORING", &monitoring_at),
        ];
        let mut gateway = start("gateway", &upstreams);
        let gateway_at = gateway.address().await.unwrap();
        (vec![("gateway", gateway), ("monitoring", monitoring), ("pairing", pairing)], gateway_at)
    }

    async fn imports_the_register(&self, gateway: &str, token: &Path) {
        let file = self.path().join("regions.csv");
        fs::write(&file, REGISTER).unwrap();
        let arguments = ["import", "regions", file.to_str().unwrap(), "--effective-from", "2021-01-01"];
        let target = ["--gateway", gateway, "--token-file", token.to_str().unwrap()];
        let imported = run(&[&arguments[..], &target].concat()).await.unwrap();
        let said = String::from_utf8([imported.stdout, imported.stderr].concat()).unwrap();
        assert!(imported.status.success() && said.contains("6 regions: 6 new"), "{said}");
    }
}

/// Pairs two organisations, and registers a household.
async fn writes(clients: &Clients) {
    let mut pairing = clients.pairing().unwrap();
    let supporter = register(&mut pairing, supporter("某局党支部")).await.unwrap();
    assert_eq!(supporter.region_code, GUANGZHOU);
    let recipient = register(&mut pairing, recipient("太平村党总支", VILLAGE)).await.unwrap();
    let starts_on = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let request = party_pairing(&supporter.organisation_id, &recipient.organisation_id, starts_on);
    pairing.establish_pairing(request).await.unwrap();

    let head = MemberDraft {
        name: "张三".to_owned(),
        id_number: "11010519491231002X".to_owned(),
        relation: Relation::Head.into(),
        health: vec![Health::Healthy.into()],
        labour: LabourAbility::Weak.into(),
        schooling: Schooling::NotAtSchool.into(),
        work: Work::Farming.into(),
        ..MemberDraft::default()
    };
    let household = HouseholdDraft {
        region_code: VILLAGE.to_owned(),
        support: SocialSupport::None.into(),
        members: vec![head],
        ..HouseholdDraft::default()
    };
    let request = RegisterHouseholdRequest { request_id: request_id(), household: Some(household) };
    // Monitoring learns of the village a moment after pairing.
    eventually("monitoring takes the household", || async {
        clients.households().unwrap().register_household(request.clone()).await.is_ok()
    })
    .await;
}

/// The scorecard, when it shows what was written.
async fn followed(clients: &Clients) -> Scorecard {
    for (indicator, expected) in
        [("supporter_party_organisations_paired", 1), ("villages_party_paired", 1), ("households_registered", 1)]
    {
        eventually(indicator, || async {
            clients.figure(QINGYUAN, indicator, None).await.is_ok_and(|value| value == expected)
        })
        .await;
    }
    clients.scorecard(QINGYUAN, None).await.unwrap()
}

/// States that pairing's database was restored: who follows its log reads it anew and comes to the same figures.
async fn begins_a_new_epoch(installation: &Installation, clients: &Clients) {
    let before = followed(clients).await;
    let (done, said) = installation.run(&["log", "new-epoch", "--service", "pairing"]).await;
    let epoch = said.trim().strip_prefix("pairing: its log is in epoch ").map(|epoch| epoch.parse::<i64>().unwrap());
    assert!(done && epoch.is_some(), "{said}");

    let head = |scorecard: &Scorecard| {
        let head = scorecard.heads.iter().find(|head| head.source == "pairing").unwrap();
        (head.epoch, head.seq)
    };
    let (earlier, seq) = head(&before);
    assert!(epoch.is_some_and(|epoch| epoch > earlier), "{said}");
    eventually("the log is counted anew", || async {
        let scorecard = clients.scorecard(QINGYUAN, None).await;
        scorecard.is_ok_and(|scorecard| head(&scorecard) >= (epoch.unwrap_or_default(), seq))
    })
    .await;
    assert_eq!(figures(&clients.scorecard(QINGYUAN, None).await.unwrap()), figures(&before));

    // What comes later is counted, too.
    let mut pairing = clients.pairing().unwrap();
    let supporter = register(&mut pairing, supporter("又一局党支部")).await.unwrap().organisation_id;
    let recipient = register(&mut pairing, recipient("太平村又一支部", VILLAGE)).await.unwrap().organisation_id;
    let starts_on = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    pairing.establish_pairing(party_pairing(&supporter, &recipient, starts_on)).await.unwrap();
    eventually("the scorecard follows", || async {
        clients.figure(QINGYUAN, "supporter_party_organisations_paired", None).await.is_ok_and(|value| value == 2)
    })
    .await;
}

#[tokio::test]
async fn services_are_migrated_served_one_by_one_and_stopped_by_ctrl_c() {
    let installation = Installation::new().await;
    installation.migrates().await;
    let (services, gateway) = installation.serve().await;
    let token = installation.token("operator", &["hq", "operator"]).await;
    installation.imports_the_register(&gateway, &token).await;

    let clients = Clients::with_token(&gateway, Some(fs::read_to_string(&token).unwrap().trim())).unwrap();
    writes(&clients).await;
    begins_a_new_epoch(&installation, &clients).await;

    for (name, service) in services {
        assert_eq!(service.interrupt().await.unwrap().code(), Some(0), "{name}");
    }
}
