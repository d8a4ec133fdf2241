//! A consumer that a test moves by hand.

use tonic::Status;

use super::{
    super::{Envelope, EventHandler, cursor},
    Consumer,
};

impl<H: EventHandler> Consumer<H> {
    /// Goes on from where its database says that it is: the number of the event that was handled last.
    ///
    /// # Errors
    /// When Postgres fails.
    pub async fn resume(&mut self) -> Result<i64, sqlx::Error> {
        self.reached = cursor::read(&self.pool, self.name, self.source).await?;
        Ok(self.reached.seq)
    }

    /// Takes events as if the broker had brought them.
    ///
    /// # Errors
    /// Why the consumer would begin again.
    pub async fn offer(&mut self, events: Vec<Envelope>) -> Result<(), String> {
        self.take(events).await.map_err(|fault| fault.to_string())
    }

    /// The next events of the source's log.
    ///
    /// # Errors
    /// When the source does not answer.
    pub async fn next_of_log(&mut self) -> Result<Vec<Envelope>, Status> {
        let mut parts = self.log.read(self.source, self.reached.seq).await?;
        Ok(parts.next().await?.map(|part| part.events).unwrap_or_default())
    }
}
