//! Loads the rules, the households of the sample, and their cases.

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tongxin_proto::{
    Date,
    batch::v1::{BatchOptions, ImportOptions, ImportStatus},
    monitoring::v1::{
        BatchCaseCommandsRequest, CaseCommand, CheckHouseholdsRequest, CheckHouseholdsResponse, DecideSignalRequest,
        Department, GetImportRequest, HouseholdRows, ImportHouseholdsRequest, ImportObservationsRequest,
        ListHouseholdsRequest, ListSignalsRequest, ObservationRows, RecordVillageIncomeRequest, Risk,
        SetHolidaysRequest, SignalSource, StoreRuleSetRequest, SubmitWarningsRequest, WarningOptions, WarningRows,
        case_command::Command, import_households_request, import_observations_request, submit_warnings_request,
    },
};
use tonic::{Code, Status};

use super::{CALLS_IN_FLIGHT, Loading, batch, carried_out, none_refused};
use crate::{
    lang::{lang, told},
    patience::Patience,
    progress::Progress,
    sample::monitoring::{Decision, Entry, Income, Kept},
};

const HOUSEHOLDS_PER_MESSAGE: usize = 500;
const OBSERVATIONS_PER_MESSAGE: usize = 1_000;
const WARNINGS_PER_MESSAGE: usize = 500;
const COMMANDS_PER_MESSAGE: usize = 500;
const PAGE: i32 = 1_000;

/// A busy machine takes a while to match thousands.
const MATCHED_WITHIN: Duration = Duration::from_mins(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A warning that became a signal, or will.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Warned {
    household: String,
    cause: Risk,
    department: Department,
    day: Option<[i32; 3]>,
}

fn day(date: Date) -> [i32; 3] {
    [date.year, date.month, date.day]
}

/// The signals expected from the sample's warnings.
fn expected(kept: &Kept, households: &[String]) -> Result<HashSet<Warned>> {
    let heads = kept.households.iter().map(|household| household.members[0].id_number.as_str());
    let of_head: HashMap<&str, &String> = heads.zip(households).collect();
    let mut expected = HashSet::new();
    for submission in &kept.submissions {
        for warning in &submission.warnings {
            let household = of_head.get(warning.id_number.as_str()).context("a warning about nobody's head")?;
            expected.insert(Warned {
                household: (*household).clone(),
                cause: warning.cause(),
                department: submission.department,
                day: warning.occurred_on.map(day),
            });
        }
    }
    Ok(expected)
}

/// Signals by household and cause.
type Signals = HashMap<(String, Risk), String>;

impl Loading<'_> {
    pub(super) async fn monitoring(&self, kept: &Kept) -> Result<()> {
        self.register_is_known(kept)
            .await
            .with_context(|| told!("monitoring does not follow the register", "监测服务没有跟上区划"))?;
        self.rules().await.with_context(|| told!("the rules were not taken", "规则没有载入"))?;
        self.households(kept).await.with_context(|| told!("the households were not taken", "各户没有载入"))?;
        let households = self.identifiers(kept).await?;
        self.observations(kept).await.with_context(|| told!("the observations were not taken", "收支情况没有载入"))?;
        self.warnings(kept).await.with_context(|| told!("the warnings were not taken", "预警没有载入"))?;
        let signals = self
            .matched(kept, &households)
            .await
            .with_context(|| told!("the warnings were not matched", "预警没有全部成为线索"))?;
        let of_cases = self
            .decisions(kept, &households, &signals)
            .await
            .with_context(|| told!("the signals were not decided", "线索没有核实"))?;
        self.entries(kept, &households, &of_cases)
            .await
            .with_context(|| told!("the cases were not taken", "个案没有载入"))?;
        self.incomes(kept)
            .await
            .with_context(|| told!("the incomes of villages were not taken", "村集体收入没有载入"))?;
        self.check().await.with_context(|| told!("the households were not checked", "各户没有核查"))
    }

    async fn rules(&self) -> Result<()> {
        let progress = Progress::begin(told!("rule sets", "规则集"), None);
        for (year, holidays) in &self.files.holidays {
            let request = SetHolidaysRequest {
                request_id: self.files.id(&format!("holidays/{year}")),
                year: *year,
                holidays: holidays.clone(),
                region_code: String::new(),
            };
            self.call(|| async { self.gateway.rules().set_holidays(request.clone()).await }).await?;
        }
        let rule_sets = [&self.files.rules, &self.files.later_rules];
        for rules in rule_sets {
            let request = StoreRuleSetRequest {
                request_id: self.files.id(&format!("rules/{}", rules.name)),
                rule_set: Some(rules.clone()),
            };
            self.call(|| async { self.gateway.rules().store_rule_set(request.clone()).await }).await?;
        }
        progress.end(&rule_sets.len().to_string());
        Ok(())
    }

    /// Waits until monitoring has the last of the villages.
    async fn register_is_known(&self, kept: &Kept) -> Result<()> {
        let last = kept.households.iter().map(|household| &household.region_code).max();
        let region_code = last.context("the sample has no households")?.clone();
        let request = ListHouseholdsRequest { region_code, page_size: 1, ..ListHouseholdsRequest::default() };
        self.call(|| async {
            match self.gateway.households().list_households(request.clone()).await {
                // It will arrive in a moment.
                Err(status) if status.code() == Code::NotFound => Err(Status::unavailable(status.message())),
                answer => answer,
            }
        })
        .await?;
        Ok(())
    }

    async fn households(&self, kept: &Kept) -> Result<()> {
        use import_households_request::Part;

        let request = |part| ImportHouseholdsRequest { part: Some(part) };
        self.import(["households", "户"], kept.households.len(), async |options, progress| {
            let rows = from_row(&kept.households, progress.taken, HOUSEHOLDS_PER_MESSAGE);
            let rows = rows.map(|(first_row, rows)| request(Part::Rows(HouseholdRows { first_row, rows })));
            let messages: Vec<_> = std::iter::once(request(Part::Options(options))).chain(rows).collect();
            let answers = self.gateway.households().import_households(stream::iter(messages)).await?;
            progress.follow(answers.into_inner().map_ok(|answer| answer.status)).await
        })
        .await
    }

    async fn observations(&self, kept: &Kept) -> Result<()> {
        use import_observations_request::Part;

        let request = |part| ImportObservationsRequest { part: Some(part) };
        self.import(["observations", "收支情况"], kept.observations.len(), async |options, progress| {
            let rows = from_row(&kept.observations, progress.taken, OBSERVATIONS_PER_MESSAGE);
            let rows = rows.map(|(first_row, rows)| request(Part::Rows(ObservationRows { first_row, rows })));
            let messages: Vec<_> = std::iter::once(request(Part::Options(options))).chain(rows).collect();
            let answers = self.gateway.observations().import_observations(stream::iter(messages)).await?;
            progress.follow(answers.into_inner().map_ok(|answer| answer.status)).await
        })
        .await
    }

    /// Sends rows until all are processed, and resumes an interrupted import. They are named in English and Chinese.
    async fn import(
        &self,
        [about, zh]: [&str; 2],
        rows: usize,
        send: impl AsyncFn(ImportOptions, &mut Importing) -> Result<(), Status>,
    ) -> Result<()> {
        let import_id = self.files.id(about);
        let progress = Progress::begin(lang().of(about, zh), u64::try_from(rows).ok());
        let mut importing = Importing { taken: 0, progress };
        let mut patience = Patience::with_all();
        loop {
            let status = self.import_status(&import_id).await?;
            importing.taken = usize::try_from(status.rows_taken)?;
            if importing.taken >= rows {
                none_refused(&status.errors)?;
                importing.progress.end(&status.accepted.to_string());
                return Ok(());
            }
            match send(ImportOptions { import_id: import_id.clone(), dry_run: false }, &mut importing).await {
                Ok(()) => {}
                Err(status) if patience.again(&status, |note| importing.progress.note(note)).await => {}
                Err(status) => return Err(self.gateway.explain(&status)),
            }
        }
    }

    /// How far an import has come; zero before its first row.
    async fn import_status(&self, import_id: &str) -> Result<ImportStatus> {
        let request = GetImportRequest { import_id: import_id.to_owned() };
        self.call(|| async {
            match self.gateway.households().get_import(request.clone()).await {
                Ok(answer) => Ok(answer.into_inner().status.unwrap_or_default()),
                Err(status) if status.code() == Code::NotFound => Ok(ImportStatus::default()),
                Err(status) => Err(status),
            }
        })
        .await
    }

    /// Identifiers of the households, in order.
    async fn identifiers(&self, kept: &Kept) -> Result<Vec<String>> {
        let mut by_number = HashMap::new();
        let region_code = self.files.manifest.region.to_string();
        let mut request = ListHouseholdsRequest { region_code, page_size: PAGE, ..ListHouseholdsRequest::default() };
        loop {
            let page = self.call(|| async { self.gateway.households().list_households(request.clone()).await }).await?;
            let page = page.into_inner();
            let numbered = page.households.into_iter();
            by_number.extend(numbered.map(|household| (household.household_number, household.household_id)));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        let of = |number: &String| {
            let found = by_number.get(number).cloned();
            found.with_context(|| told!("household {number} is missing", "缺少户 {number}"))
        };
        kept.households.iter().map(|household| of(&household.household_number)).collect()
    }

    async fn warnings(&self, kept: &Kept) -> Result<()> {
        use submit_warnings_request::Part;

        let progress = Progress::begin(told!("warnings", "预警"), None);
        let mut received = 0;
        for submission in &kept.submissions {
            let about = format!("warnings/{}", submission.department.as_str_name());
            let options =
                WarningOptions { request_id: self.files.id(&about), department: submission.department.into() };
            let rows = submission.warnings.chunks(WARNINGS_PER_MESSAGE);
            let rows = rows.map(|rows| Part::Rows(WarningRows { rows: rows.to_vec() }));
            let messages: Vec<_> = std::iter::once(Part::Options(options))
                .chain(rows)
                .map(|part| SubmitWarningsRequest { part: Some(part) })
                .collect();
            let department = (self.speaking_for)(submission.department)?;
            let answer = self
                .call(|| async { department.signals().submit_warnings(stream::iter(messages.clone())).await })
                .await?
                .into_inner();
            none_refused(&answer.errors)?;
            received += answer.received;
        }
        progress.end(&received.to_string());
        Ok(())
    }

    /// Waits until each warning has become a signal: they are matched asynchronously.
    async fn matched(&self, kept: &Kept, households: &[String]) -> Result<Signals> {
        let expected = expected(kept, households)?;
        let begun = Instant::now();
        loop {
            let (signals, found) = self.signals().await?;
            let missing = expected.difference(&found).count();
            if missing == 0 {
                return Ok(signals);
            }
            ensure!(
                begun.elapsed() < MATCHED_WITHIN,
                told!(
                    "{missing} of them have no signal after {MATCHED_WITHIN:?}",
                    "{MATCHED_WITHIN:?} 后仍有 {missing} 条没有成为线索"
                )
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn signals(&self) -> Result<(Signals, HashSet<Warned>)> {
        let region_code = self.files.manifest.region.to_string();
        let mut request = ListSignalsRequest { region_code, page_size: PAGE, ..ListSignalsRequest::default() };
        let (mut signals, mut found) = (HashMap::new(), HashSet::new());
        loop {
            let page = self.call(|| async { self.gateway.signals().list_signals(request.clone()).await }).await?;
            let page = page.into_inner();
            for signal in page.signals {
                let cause = signal.cause();
                let warnings = signal.sources.iter().filter(|source| source.department != 0);
                let warned = |source: &SignalSource| Warned {
                    household: signal.household_id.clone(),
                    cause,
                    department: source.department(),
                    day: source.reported_on.map(day),
                };
                found.extend(warnings.map(warned));
                // For the same household and cause, the first is the sample's own.
                signals.entry((signal.household_id, cause)).or_insert(signal.signal_id);
            }
            if page.next_page_token.is_empty() {
                return Ok((signals, found));
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Returns the signals that cases are opened for, by case.
    async fn decisions(
        &self,
        kept: &Kept,
        households: &[String],
        signals: &Signals,
    ) -> Result<HashMap<String, String>> {
        let progress = Progress::begin(told!("decisions", "线索核实"), u64::try_from(kept.decisions.len()).ok());
        let calls = kept.decisions.iter().map(|decision| async {
            let Decision { household, cause, verified, reason, decided_on, case_id } = decision;
            let household = &households[*household];
            let signal = signals.get(&(household.clone(), *cause));
            let signal = signal
                .with_context(|| {
                    told!("no signal of {household} for {cause:?}", "户 {household} 没有 {cause:?} 的线索")
                })?
                .clone();
            let request = DecideSignalRequest {
                request_id: self.files.id(&format!("decisions/{signal}")),
                signal_id: signal.clone(),
                verified: *verified,
                reason: (*reason).to_owned(),
                decided_on: Some((*decided_on).into()),
                expected_version: 0,
            };
            self.call(|| async { self.gateway.signals().decide_signal(request.clone()).await }).await?;
            anyhow::Ok(case_id.clone().map(|case| (case, signal)))
        });
        let mut calls = stream::iter(calls).buffer_unordered(CALLS_IN_FLIGHT);
        let (mut done, mut of_cases) = (0, HashMap::new());
        while let Some(of_case) = calls.try_next().await? {
            done += 1;
            progress.reach(done);
            of_cases.extend(of_case);
        }
        progress.end(&done.to_string());
        Ok(of_cases)
    }

    async fn entries(&self, kept: &Kept, households: &[String], signals: &HashMap<String, String>) -> Result<()> {
        let named = |entry: &Entry| {
            let mut command = entry.command.clone();
            if let Command::OpenCase(draft) = &mut command {
                draft.household_id.clone_from(&households[entry.household]);
                draft.signal_ids = signals.get(&draft.case_id).cloned().into_iter().collect();
            }
            CaseCommand { command: Some(command) }
        };
        let commands: Vec<_> = kept.entries.iter().map(named).collect();
        let options = BatchOptions { request_id: self.files.id("cases"), all_or_nothing: false };
        let messages: Vec<BatchCaseCommandsRequest> = batch(options, &commands, COMMANDS_PER_MESSAGE);
        let progress = Progress::begin(told!("case commands", "个案办理"), None);
        let answer = self
            .call(|| async { self.gateway.cases().batch_case_commands(stream::iter(messages.clone())).await })
            .await?
            .into_inner();
        carried_out(progress, answer).map(drop)
    }

    async fn incomes(&self, kept: &Kept) -> Result<()> {
        let progress =
            Progress::begin(told!("incomes of villages", "村集体收入"), u64::try_from(kept.incomes.len()).ok());
        let calls = kept.incomes.iter().map(|Income { region_code, year, amounts }| async move {
            let request = RecordVillageIncomeRequest {
                request_id: self.files.id(&format!("incomes/{region_code}/{year}")),
                region_code: region_code.clone(),
                year: *year,
                amounts: amounts.clone(),
                expected_version: 0,
            };
            self.call(|| async { self.gateway.villages().record_village_income(request.clone()).await }).await
        });
        let mut calls = stream::iter(calls).buffer_unordered(CALLS_IN_FLIGHT);
        let mut done = 0;
        while calls.try_next().await?.is_some() {
            done += 1;
            progress.reach(done);
        }
        progress.end(&done.to_string());
        Ok(())
    }

    /// Checks data quality, as after loading data of others.
    async fn check(&self) -> Result<()> {
        let progress = Progress::begin(told!("households checked", "核查户数"), None);
        let request = CheckHouseholdsRequest { region_code: self.files.manifest.region.to_string() };
        let checked = self.call(|| async {
            let mut answers = self.gateway.villages().check_households(request.clone()).await?.into_inner();
            let mut last = CheckHouseholdsResponse::default();
            while let Some(answer) = answers.message().await? {
                last = answer;
            }
            if last.done {
                Ok(last)
            } else {
                Err(Status::unavailable(told!("the check ended without a result", "核查没有给出结果就结束了")))
            }
        });
        let CheckHouseholdsResponse { households, defects, .. } = checked.await?;
        progress.end(&told!("{households} ({defects} defects)", "{households}（{defects} 个问题）"));
        Ok(())
    }
}

/// An import in progress.
struct Importing {
    /// Rows processed before this attempt.
    taken: usize,
    progress: Progress,
}

impl Importing {
    /// Shows progress until the last response.
    async fn follow(
        &mut self,
        answers: impl Stream<Item = Result<Option<ImportStatus>, Status>>,
    ) -> Result<(), Status> {
        let mut answers = pin!(answers);
        while let Some(status) = answers.try_next().await? {
            self.progress.reach(status.unwrap_or_default().rows_taken.unsigned_abs());
        }
        Ok(())
    }
}

/// The rows after the first `taken`, in chunks, each with the number of its first row.
fn from_row<Row: Clone>(rows: &[Row], taken: usize, size: usize) -> impl Iterator<Item = (i64, Vec<Row>)> {
    let first_rows = (taken + 1..).step_by(size).map(|row| i64::try_from(row).unwrap_or(i64::MAX));
    first_rows.zip(rows[taken..].chunks(size).map(<[Row]>::to_vec))
}
