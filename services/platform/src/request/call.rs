//! Who sent a request, its idempotency key, and its context.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use chrono::{DateTime, NaiveDate, Utc};
use prost::Message;
use sha2::{Digest as _, Sha256};
use tongxin_proto::Identified;
use tonic::{Request, Status};
use uuid::{ContextV7, Timestamp, Uuid};

use sqlx::PgConnection;

use crate::{access::Caller, clock, db::Scope, grpc::MethodPath, limit::HourlyLimits, region::RegionRange};

/// A changing request.
#[derive(Debug, Clone)]
pub struct Call {
    /// The caller.
    pub caller: Caller,
    /// The idempotency key that the caller chose.
    pub request_id: Uuid,
    /// The part of a batch, from 1; 0 if the request has none.
    pub part: i32,
    /// Hash of the method and of the whole request. Only its fingerprint, which takes a key, is stored.
    pub digest: [u8; 32],
    /// For a batch: the hash of the method and of the options, which all of its parts share.
    pub batch: Option<[u8; 32]>,
    method: MethodPath,
}

impl Call {
    /// Splits a request into the call and the message.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if the idempotency key is no UUID.
    pub fn open<M: Message + Identified>(request: Request<M>) -> Result<(Self, M), Status> {
        let caller = Caller::of(&request)?;
        let method = MethodPath::of(&request);
        let message = request.into_inner();
        let request_id = parse_request_id(message.request_id())?;
        let digest = digest(&method, &message);
        Ok((Self { caller, request_id, part: 0, digest, batch: None, method }, message))
    }

    /// A batch of a method, with its options; its messages follow as parts.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if the idempotency key is no UUID.
    pub fn of_batch(
        caller: Caller,
        method: MethodPath,
        (request_id, options): (&str, &impl Message),
    ) -> Result<Self, Status> {
        let digest = digest(&method, options);
        Ok(Self { batch: Some(digest), ..Self::of_stream(caller, method, request_id, digest)? })
    }

    /// A stream that is carried out as a whole once all of it has arrived; the hash is over all of it.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if the idempotency key is no UUID.
    pub fn of_stream(caller: Caller, method: MethodPath, request_id: &str, digest: [u8; 32]) -> Result<Self, Status> {
        let request_id = parse_request_id(request_id)?;
        Ok(Self { caller, request_id, part: 0, digest, batch: None, method })
    }

    /// The next part of the batch, with `message` as its request.
    #[must_use]
    pub fn next_part(&mut self, message: &impl Message) -> Self {
        self.part += 1;
        Self { digest: digest(&self.method, message), ..self.clone() }
    }
}

fn parse_request_id(text: &str) -> Result<Uuid, Status> {
    Uuid::try_parse(text).map_err(|_| Status::invalid_argument("request_id has to be a UUID"))
}

fn digest(method: &MethodPath, message: &impl Message) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(&method.0);
    hasher.update([0]);
    hasher.update(message.encode_to_vec());
    hasher.finalize().into()
}

/// Moment, actor and rights of a change.
#[derive(Debug, Clone)]
pub struct Context {
    /// The moment of the change.
    pub now: DateTime<Utc>,
    /// Subject of the caller's token.
    pub actor: String,
    /// The regions that the caller may change.
    pub regions: RegionRange,
    /// Whether entries older than the entry window are allowed (`history.load`).
    pub may_load_history: bool,
    /// The actor's limits of look-ups and reveals per hour.
    pub limits: HourlyLimits,
    /// Makes identifiers of one moment rise.
    ids: Arc<Mutex<ContextV7>>,
    /// Whether the change leaves work for a worker.
    left_work: Arc<AtomicBool>,
}

impl Context {
    /// A change that a service makes by itself, in any region and for any day.
    #[must_use]
    pub fn of_service(actor: &str, now: DateTime<Utc>) -> Self {
        let (actor, regions) = (actor.to_owned(), RegionRange::EVERYWHERE);
        let (limits, left_work) = (HourlyLimits::default(), Arc::default());
        Self { now, actor, regions, may_load_history: true, limits, ids: Arc::default(), left_work }
    }

    /// A change by a caller.
    #[must_use]
    pub fn of(caller: &Caller, now: DateTime<Utc>) -> Self {
        Self {
            now,
            actor: caller.subject().to_owned(),
            regions: caller.region().range(),
            may_load_history: caller.may("history.load"),
            limits: caller.limits(),
            ids: Arc::default(),
            left_work: Arc::default(),
        }
    }

    /// Runs `work` with rows of every region, for what must not depend on the caller. Afterwards the transaction is
    /// narrowed to the caller's regions again, however `work` ended.
    ///
    /// # Errors
    /// Those of `work`, and database errors.
    pub async fn everywhere<T, E: From<sqlx::Error>>(
        &self,
        conn: &mut PgConnection,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        Scope::EVERYWHERE.set(conn).await?;
        let done = work(conn).await;
        let narrowed = Scope::range(self.regions).set(conn).await;
        let done = done?;
        narrowed?;
        Ok(done)
    }

    /// Marks the change as leaving work: the service's worker is woken after the commit.
    pub fn leave_work(&self) {
        self.left_work.store(true, Relaxed);
    }

    /// Whether it does.
    pub(super) fn leaves_work(&self) -> bool {
        self.left_work.load(Relaxed)
    }

    /// The business date of the change.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        clock::business_date(self.now)
    }

    /// A new identifier, greater than those given before, even at the same moment.
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let seconds = self.now.timestamp().max(0).cast_unsigned();
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*ids, seconds, self.now.timestamp_subsec_nanos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_one_moment_rise() {
        let context = Context::of_service("clerk", DateTime::UNIX_EPOCH);
        let ids: Vec<Uuid> = (0..10_000).map(|_| context.clone().new_id()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
    }
}
