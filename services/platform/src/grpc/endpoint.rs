//! What the methods of a service need: reads in the caller's region, and changes.

use std::marker::PhantomData;

use prost::Message;
use sqlx::PgPool;
use tongxin_proto::Identified;
use tonic::{Request, Response, Status};

use super::Reply;
use crate::{
    access::Caller,
    clock::Clock,
    db::{Scope, Transaction},
    error::{Error, ServiceRefusal},
    request::{Answer, Call, Command, Writer},
};

/// What the methods of a service need; `Policy` is what it decides by, and `R` its refusals.
#[derive(Debug)]
pub struct Endpoint<Policy, R> {
    /// The database, for reads.
    pub pool: PgPool,
    /// The time.
    pub clock: Clock,
    /// Carries out changes.
    pub writer: Writer<Policy>,
    refuses: PhantomData<fn() -> R>,
}

impl<Policy, R> Clone for Endpoint<Policy, R> {
    fn clone(&self) -> Self {
        let Self { pool, clock, writer, refuses } = self;
        Self { pool: pool.clone(), clock: clock.clone(), writer: writer.clone(), refuses: *refuses }
    }
}

impl<Policy: Send + Sync + 'static, R: ServiceRefusal> Endpoint<Policy, R> {
    /// An endpoint on a database.
    #[must_use]
    pub fn new(pool: PgPool, clock: Clock, writer: Writer<Policy>) -> Self {
        Self { pool, clock, writer, refuses: PhantomData }
    }

    /// Begins a read-only transaction in the caller's region.
    ///
    /// # Errors
    /// If the request did not come through the door, and database errors.
    pub async fn read<M>(&self, request: &Request<M>) -> Result<Transaction, Status> {
        let caller = Caller::of(request)?;
        Ok(Scope::region(caller.region()).read(&self.pool).await.map_err(Error::<R>::from)?)
    }

    /// Carries out the command of a request, once per idempotency key.
    ///
    /// # Errors
    /// If the request cannot be parsed, and those of the command.
    pub async fn write<M, C, Reported>(
        &self,
        request: Request<M>,
        read: impl FnOnce(M) -> Result<C, Error<R>>,
    ) -> Reply<Reported>
    where
        M: Message + Identified,
        C: Command<Policy = Policy, Error = Error<R>>,
        Reported: Answer<Policy, Error = Error<R>> + From<C::Output>,
    {
        self.write_by(request, |request, _| read(request)).await
    }

    /// The same for a command that depends on the caller.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_by<M, C, Reported>(
        &self,
        request: Request<M>,
        read: impl FnOnce(M, &Caller) -> Result<C, Error<R>>,
    ) -> Reply<Reported>
    where
        M: Message + Identified,
        C: Command<Policy = Policy, Error = Error<R>>,
        Reported: Answer<Policy, Error = Error<R>> + From<C::Output>,
    {
        let (call, request) = Call::open(request)?;
        let command = read(request, &call.caller)?;
        Ok(Response::new(self.writer.execute(call, command).await?))
    }

    /// The same for a command that is in `message`, a field of the request: paths of invalid fields begin there.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_stated<M, Stated, C, Reported>(
        &self,
        request: Request<M>,
        (message, stated): (&str, impl FnOnce(M) -> Option<Stated>),
        read: impl FnOnce(Stated, &Caller) -> Result<C, Error<R>>,
    ) -> Reply<Reported>
    where
        M: Message + Identified,
        Stated: Default,
        C: Command<Policy = Policy, Error = Error<R>>,
        Reported: Answer<Policy, Error = Error<R>> + From<C::Output>,
    {
        let (call, request) = Call::open(request)?;
        let within = |error: Error<R>| error.within(message);
        let command = read(stated(request).unwrap_or_default(), &call.caller).map_err(within)?;
        Ok(Response::new(self.writer.execute(call, command).await.map_err(within)?))
    }
}
