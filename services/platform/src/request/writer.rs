//! The unit of work: the one place that begins and commits a change.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use tracing::Instrument as _;

use super::{Answer, Call, Context, RequestError, RequestKeys, answer, answers};
use crate::{
    access::Caller,
    clock::Clock,
    db::Scope,
    error::Refusal,
    limit::{self, Limited},
    log::RelayWake,
    worker::Wake,
};

/// A change that is asked for.
pub trait Command: Send + 'static {
    /// What the service decides by: its dated rules and limits.
    type Policy: Send + Sync + 'static;
    /// The result of the change.
    type Output: Send;
    /// What can go wrong.
    type Error: Refusal + From<RequestError> + From<sqlx::Error> + Send;

    /// Loads, decides and saves, in the transaction of `conn`.
    fn apply(
        self,
        conn: &mut PgConnection,
        context: &Context,
        policy: &Self::Policy,
    ) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

/// Carries out commands.
#[derive(Debug)]
pub struct Writer<Policy> {
    pool: PgPool,
    clock: Clock,
    wake: RelayWake,
    worker: Wake,
    keys: RequestKeys,
    policy: Arc<Policy>,
}

impl<Policy> Clone for Writer<Policy> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            clock: self.clock.clone(),
            wake: self.wake.clone(),
            worker: self.worker.clone(),
            keys: self.keys.clone(),
            policy: Arc::clone(&self.policy),
        }
    }
}

impl<Policy: Send + Sync + 'static> Writer<Policy> {
    /// A writer on a database, which wakes the relay after each commit.
    pub fn new(pool: PgPool, clock: Clock, wake: RelayWake, keys: RequestKeys, policy: Policy) -> Self {
        Self { pool, clock, wake, worker: Wake::default(), keys, policy: Arc::new(policy) }
    }

    /// The same, which also wakes a worker after a change that leaves work.
    #[must_use]
    pub fn waking(self, worker: &Wake) -> Self {
        Self { worker: worker.clone(), ..self }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// What the service decides by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Carries out a command in a transaction of its own, once per idempotency key. A repeated request gets the stored
    /// response, whose personal fields are read again.
    ///
    /// The work runs in a task of its own, so a cancelled call does not stop it half way.
    ///
    /// # Errors
    /// Those of the command, [`RequestError::Reused`], and faults of the database.
    pub async fn execute<C, Reply>(&self, call: Call, command: C) -> Result<Reply, C::Error>
    where
        C: Command<Policy = Policy>,
        Reply: Answer<Policy, Error = C::Error> + From<C::Output>,
    {
        self.execute_as(call, command, Reply::from).await
    }

    /// The same, with a function that makes the response.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn execute_as<C, Reply>(
        &self,
        call: Call,
        command: C,
        reply: impl FnOnce(C::Output) -> Reply + Send + 'static,
    ) -> Result<Reply, C::Error>
    where
        C: Command<Policy = Policy>,
        Reply: Answer<Policy, Error = C::Error>,
    {
        let writer = self.clone();
        let work = async move { writer.answer(&call, command, reply).await };
        match tokio::spawn(work.in_current_span()).await {
            Ok(answer) => answer,
            Err(error) => Err(RequestError::Panicked(error).into()),
        }
    }

    /// Carries out a command in a transaction of its own each time that it is requested: for commands that are
    /// idempotent by themselves, or are to be recorded each time. As with [`execute`](Self::execute), a cancelled call
    /// does not stop it half way.
    ///
    /// # Errors
    /// Those of the command, and database errors.
    pub async fn execute_each_time<C>(&self, caller: &Caller, command: C) -> Result<C::Output, C::Error>
    where
        C: Command<Policy = Policy, Output: 'static>,
    {
        let (writer, caller) = (self.clone(), caller.clone());
        let work = async move {
            let context = Context::of(&caller, writer.clock.now());
            let mut tx = Scope::region(caller.region()).write(&writer.pool).await?;
            let output = command.apply(&mut tx, &context, &writer.policy).await?;
            tx.commit().await?;
            writer.committed(&context);
            Ok(output)
        };
        match tokio::spawn(work.in_current_span()).await {
            Ok(output) => output,
            Err(error) => Err(RequestError::Panicked(error).into()),
        }
    }

    /// Counts a refusal that reveals something, in a transaction of its own: that of the command was rolled back.
    async fn count_told(&self, caller: &Caller, told: Limited) -> Result<(), RequestError> {
        let context = Context::of(caller, self.clock.now());
        let mut tx = Scope::region(caller.region()).write(&self.pool).await?;
        limit::add(&mut tx, &context, told, 1).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn answer<C, Reply>(
        &self,
        call: &Call,
        command: C,
        reply: impl FnOnce(C::Output) -> Reply + Send,
    ) -> Result<Reply, C::Error>
    where
        C: Command<Policy = Policy>,
        Reply: Answer<Policy, Error = C::Error>,
    {
        match self.carry_out(call, command, reply).await {
            Ok(answer) => Ok(answer),
            // A concurrent twin of this request may have been faster, or the commit's acknowledgement was lost.
            Err(error) => match self.earlier_answer(call).await {
                Ok(Some(answer)) => Ok(answer),
                Err(reused) if reused.stated().reason == RequestError::Reused.stated().reason => Err(reused),
                Ok(None) | Err(_) => {
                    // A refusal is not revealed before it is counted.
                    if let Some(told) = error.stated().told {
                        self.count_told(&call.caller, told).await?;
                    }
                    Err(error)
                }
            },
        }
    }

    async fn carry_out<C, Reply>(
        &self,
        call: &Call,
        command: C,
        reply: impl FnOnce(C::Output) -> Reply + Send,
    ) -> Result<Reply, C::Error>
    where
        C: Command<Policy = Policy>,
        Reply: Answer<Policy, Error = C::Error>,
    {
        let context = Context::of(&call.caller, self.clock.now());
        let mut tx = Scope::region(call.caller.region()).write(&self.pool).await?;
        let earlier = answers::find(&mut tx, call, &self.keys).await?;
        if let Some(answer) = answer::again(&mut tx, earlier, self.policy()).await? {
            tx.rollback().await?;
            return Ok(answer);
        }
        let output = command.apply(&mut tx, &context, &self.policy).await?;
        let answer = reply(output);
        answers::keep(&mut tx, (call, &self.keys), &context, &answer::kept(&answer)).await?;
        tx.commit().await?;
        self.committed(&context);
        Ok(answer)
    }

    fn committed(&self, context: &Context) {
        self.wake.wake();
        if context.leaves_work() {
            self.worker.wake();
        }
    }

    async fn earlier_answer<Reply: Answer<Policy>>(&self, call: &Call) -> Result<Option<Reply>, Reply::Error> {
        let mut tx = Scope::region(call.caller.region()).read(&self.pool).await?;
        let earlier = answers::find(&mut tx, call, &self.keys).await?;
        answer::again(&mut tx, earlier, self.policy()).await
    }
}
