//! Import of the register: rows are set aside as they arrive, and progress is sent back.

use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tongxin_platform::{
    access::Caller,
    grpc::{Answering, Answers, Endpoint, MethodPath, answers},
    region::RegionCode,
    register::RegionRefused,
    request::{Call, Context},
};
use tongxin_proto::{
    pairing::v1::{ImportRegionsRequest, ImportRegionsResponse, ImportStage, RegionRow, import_regions_request::Part},
    rules,
};
use tonic::{Request, Status, Streaming};
use uuid::Uuid;

use super::convert;
use crate::{
    commands::{ImportRegions, Policy},
    domain::register::RegisterRow,
    error::{Error, Refused},
    store::register_rows,
};

/// Maximum number of invalid rows in a refusal.
const ROWS_NAMED: usize = 20;

pub(super) fn answer(
    door: Endpoint<Policy, Refused>,
    request: Request<Streaming<ImportRegionsRequest>>,
) -> Result<Answers<ImportRegionsResponse>, Status> {
    let caller = Caller::of(&request)?;
    let context = Context::of(&caller, door.clock.now());
    let method = MethodPath::of(&request);
    let messages = request.into_inner();
    Ok(answers(move |answering| {
        let import = Import { door, caller, method, context, id: Uuid::new_v4(), messages, answering };
        import.run()
    }))
}

struct Import {
    door: Endpoint<Policy, Refused>,
    caller: Caller,
    method: MethodPath,
    context: Context,
    id: Uuid,
    messages: Streaming<ImportRegionsRequest>,
    answering: Answering<ImportRegionsResponse>,
}

impl Import {
    /// Takes the edition, and deletes the rows that were set aside in any case.
    async fn run(mut self) -> Result<(), Status> {
        let last = self.take().await;
        if let Err(error) = register_rows::discard(&self.door.pool, self.id, &self.context).await {
            tracing::warn!(%error, "rows of an import are left until the next one");
        }
        self.answering.send(last?).await;
        Ok(())
    }

    async fn take(&mut self) -> Result<ImportRegionsResponse, Status> {
        let Some(Part::Edition(stated)) = self.messages.message().await?.and_then(|message| message.part) else {
            return Err(Error::field("edition", "has to be in the first message").into());
        };
        let within = |error: Error| error.within("edition");
        let edition = convert::edition(&stated).map_err(within)?;
        if let Some(outside) = edition.complete_for.filter(|region| !self.caller.region().contains(*region)) {
            return Err(Error::from(RegionRefused::NotFound(outside)).at("edition.complete_for").into());
        }
        let mut fingerprint = Sha256::new();
        fingerprint.update(stated.encode_to_vec());
        let received = self.set_aside(&mut fingerprint).await?;
        if received == 0 {
            return Err(Refused::RegionRows("the edition has no rows".to_owned()).into());
        }
        edition.check_count(received).map_err(|wrong| within(wrong.into()))?;
        let call = Call::of_stream(
            self.caller.clone(),
            self.method.clone(),
            &stated.request_id,
            fingerprint.finalize().into(),
        )?;
        let answering = self.answering.clone();
        let watcher = move |stage| answering.offer(convert::import_progress(received, stage));
        let request_id = call.request_id;
        let command = ImportRegions { import: self.id, received, request_id, edition, watcher: Box::new(watcher) };
        Ok(self.door.writer.execute(call, command).await.map_err(|error| error.identified_in("edition"))?)
    }

    async fn set_aside(&mut self, fingerprint: &mut Sha256) -> Result<i64, Status> {
        let mut received = 0;
        while let Some(message) = self.messages.message().await? {
            let Some(Part::Rows(rows)) = message.part else {
                return Err(Error::field("edition", "stands in the first message only").into());
            };
            for row in &rows.rows {
                // Hashed row by row: their distribution over messages makes no difference.
                fingerprint.update(row.encode_length_delimited_to_vec());
            }
            let rows = read_rows(self.caller.region(), received + 1, rows.rows)?;
            register_rows::set_aside(&self.door.pool, self.id, &self.context, received + 1, &rows).await?;
            received += i64::try_from(rows.len()).unwrap_or(i64::MAX);
            let stage = ImportStage::Receiving.into();
            let progress = ImportRegionsResponse { received, stage, ..Default::default() };
            if !self.answering.send(progress).await {
                return Err(Status::cancelled("the caller has gone"));
            }
        }
        Ok(received)
    }
}

/// Parses rows about regions in the caller's own, or reports the invalid ones.
fn read_rows(own: RegionCode, first: i64, rows: Vec<RegionRow>) -> Result<Vec<RegisterRow>, Error> {
    let read = |row: RegionRow| {
        rules::check(&row).map_err(|violations| Error::row(&violations))?;
        let row = RegisterRow::try_from(row)?;
        if !own.contains(row.code) {
            return Err(Error::from(RegionRefused::NotFound(row.code)));
        }
        Ok(row)
    };
    let mut good = Vec::with_capacity(rows.len());
    let mut wrong = Vec::new();
    for (number, row) in (first..).zip(rows) {
        match read(row) {
            Ok(row) => good.push(row),
            Err(error) => wrong.push((number, error)),
        }
    }
    if wrong.is_empty() {
        return Ok(good);
    }
    let more = wrong.len().saturating_sub(ROWS_NAMED);
    wrong.truncate(ROWS_NAMED);
    let mut named: Vec<_> = wrong.iter().map(|(number, error)| format!("row {number}: {error}")).collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    let elsewhere = wrong.iter().any(|(_, error)| matches!(error, Error::Region(_)));
    let refused = if elsewhere { Refused::RegionRowsElsewhere } else { Refused::RegionRows };
    Err(refused(named.join("; ")).into())
}
