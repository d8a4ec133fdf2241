//! Who asks, under which identifier, and for what.

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
    /// Who asks.
    pub caller: Caller,
    /// The identifier that the caller chose.
    pub request_id: Uuid,
    /// The part of a batch, from 1; 0 for a request that has none.
    pub part: i32,
    /// Hash of the method and of everything that was asked. Only its fingerprint is kept, which takes a key.
    pub digest: [u8; 32],
    /// Of a batch: the hash of the method and of its options, which all of its parts share.
    pub batch: Option<[u8; 32]>,
    method: MethodPath,
}

impl Call {
    /// Takes a request apart into the call and the message.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the identifier is no UUID.
    pub fn open<M: Message + Identified>(request: Request<M>) -> Result<(Self, M), Status> {
        let caller = Caller::of(&request)?;
        let method = MethodPath::of(&request);
        let message = request.into_inner();
        let request_id = parse_request_id(message.request_id())?;
        let digest = digest(&method, &message);
        Ok((Self { caller, request_id, part: 0, digest, batch: None, method }, message))
    }

    /// A batch of a method, with its options, whose messages come one after the other.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the identifier is no UUID.
    pub fn of_batch(
        caller: Caller,
        method: MethodPath,
        (request_id, options): (&str, &impl Message),
    ) -> Result<Self, Status> {
        let digest = digest(&method, options);
        Ok(Self { batch: Some(digest), ..Self::of_stream(caller, method, request_id, digest)? })
    }

    /// A stream that is carried out as a whole once all of it is there; the hash is over all of it.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the identifier is no UUID.
    pub fn of_stream(caller: Caller, method: MethodPath, request_id: &str, digest: [u8; 32]) -> Result<Self, Status> {
        let request_id = parse_request_id(request_id)?;
        Ok(Self { caller, request_id, part: 0, digest, batch: None, method })
    }

    /// The next part of the batch, which asks for `message`.
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

/// What a change needs to know about the moment and the one who asks.
#[derive(Debug, Clone)]
pub struct Context {
    /// The moment of the change.
    pub now: DateTime<Utc>,
    /// Subject of the token that asks.
    pub actor: String,
    /// The regions that may be changed.
    pub regions: RegionRange,
    /// Whether entries older than the window are allowed (`history.load`).
    pub may_load_history: bool,
    /// How often within an hour the actor may do what is limited.
    pub limits: HourlyLimits,
    /// Counts the identifiers that were given, so that later ones are greater.
    ids: Arc<Mutex<ContextV7>>,
    /// Whether the change leaves work for later.
    left_work: Arc<AtomicBool>,
}

impl Context {
    /// A change that nobody asks for: a service makes it itself, in any region and of any day.
    #[must_use]
    pub fn of_service(actor: &str, now: DateTime<Utc>) -> Self {
        let (actor, regions) = (actor.to_owned(), RegionRange::EVERYWHERE);
        let (limits, left_work) = (HourlyLimits::default(), Arc::default());
        Self { now, actor, regions, may_load_history: true, limits, ids: Arc::default(), left_work }
    }

    /// A change that a caller asks for at a moment.
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

    /// Works with rows of every region, for what does not depend on who asks; after it the transaction is bound to the
    /// caller's regions again, however it ended.
    ///
    /// # Errors
    /// Those of the work, and faults of the database.
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

    /// Says that the change leaves work, which the service's worker is woken for once it is committed.
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

    /// A new identifier: greater than those that were given before, be it at the same moment.
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
