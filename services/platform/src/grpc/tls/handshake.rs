//! TLS handshakes: each in a task of its own and for a bounded time, so that an unfinished one holds up nobody.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt as _, stream};
use opentelemetry::{KeyValue, global, metrics::Counter};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy, sink},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tracing::{debug, warn};

use super::current::Current;
use crate::{error::chain, grpc::connections::Seat};

/// The first byte of a TLS connection.
const HANDSHAKE: u8 = 0x16;

/// Sent to clients that speak plain HTTP, as an HTTP/1 response.
const HINT: &str = "this port speaks TLS: its address begins with https://\n";

/// Bytes of a request in plain text that are read before the connection is closed, so that the hint arrives.
const PLAIN_BYTES: u64 = 64 << 10;

/// Connections that have finished their handshake, of those that were accepted. There are as many handshakes at once as
/// connections without an admitted call: each has its place among those, and loses it to later ones when there are too
/// many.
pub(in crate::grpc) fn secured(
    accepted: impl Stream<Item = io::Result<(TcpStream, Seat)>> + Send + Unpin + 'static,
    current: Arc<Current>,
) -> impl Stream<Item = io::Result<(TlsStream<TcpStream>, Seat)>> + Send {
    let beside = Beside { accepted, handshakes: JoinSet::new(), current, failures: Failures::new() };
    stream::unfold(beside, |mut beside| async move { Some((beside.next().await?, beside)) })
}

/// A listener and its handshakes, which end with it.
struct Beside<S> {
    accepted: S,
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, Seat)>>,
    current: Arc<Current>,
    failures: Failures,
}

impl<S: Stream<Item = io::Result<(TcpStream, Seat)>> + Unpin> Beside<S> {
    async fn next(&mut self) -> Option<io::Result<(TlsStream<TcpStream>, Seat)>> {
        loop {
            tokio::select! {
                accepted = self.accepted.next() => match accepted? {
                    Ok((stream, seat)) => {
                        let handshake = shake_hands(stream, seat, Arc::clone(&self.current), self.failures.clone());
                        self.handshakes.spawn(handshake);
                    }
                    Err(error) => return Some(Err(error)),
                },
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(secured)) = done {
                        return Some(Ok(secured));
                    }
                }
            }
        }
    }
}

async fn shake_hands(
    stream: TcpStream,
    seat: Seat,
    current: Arc<Current>,
    failures: Failures,
) -> Option<(TlsStream<TcpStream>, Seat)> {
    let patience = current.patience();
    let secured = tokio::select! {
        secured = timeout(patience, secure(stream, &current)) => secured.unwrap_or(Err(Failure::TooSlow(patience))),
        // Another connection needs its place; it is counted there.
        () = seat.is_taken() => return None,
    };
    match secured {
        Ok(stream) => Some((stream, seat)),
        Err(failure) => {
            failures.count(&failure, seat.address());
            if current.is_expired() && failure.is_refusal() {
                failures.tell_of_expiry(Instant::now());
            }
            None
        }
    }
}

async fn secure(stream: TcpStream, current: &Current) -> Result<TlsStream<TcpStream>, Failure> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Err(Failure::Left);
    }
    if first[0] != HANDSHAKE {
        // Whether the client reads it or not.
        let _ = explain(stream).await;
        return Err(Failure::Plain);
    }
    Ok(TlsAcceptor::from(current.serving()).accept(stream).await?)
}

async fn explain(mut stream: TcpStream) -> io::Result<()> {
    let length = HINT.len();
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{HINT}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    copy(&mut stream.take(PLAIN_BYTES), &mut sink()).await?;
    Ok(())
}

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("it was not done after {0:?}")]
    TooSlow(Duration),
    #[error("the client speaks no TLS")]
    Plain,
    #[error("the client left")]
    Left,
    #[error("the client refuses us")]
    Refused(#[source] rustls::Error),
    #[error("there is no TLS that both speak")]
    Protocol(#[source] rustls::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            // Mostly because of the certificate: the alert says which fault the client found.
            Some(error @ rustls::Error::AlertReceived(_)) => Self::Refused(error.clone()),
            Some(error) => Self::Protocol(error.clone()),
            None => Self::Left,
        }
    }
}

impl Failure {
    const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    const fn reason(&self) -> &'static str {
        match self {
            Self::TooSlow(_) => "timeout",
            Self::Plain => "plaintext",
            Self::Left => "closed",
            Self::Refused(_) => "refused_by_client",
            Self::Protocol(_) => "protocol",
        }
    }
}

/// Interval of log lines about clients that refuse an expired certificate; one line is for all of them.
const QUIET: Duration = Duration::from_mins(10);

/// Counts failed handshakes. Anybody can cause them, so only the debug log has each.
#[derive(Clone)]
struct Failures {
    counter: Counter<u64>,
    unsaid: Arc<Mutex<(u64, Option<Instant>)>>,
}

impl Failures {
    fn new() -> Self {
        let counter = global::meter("tongxin")
            .u64_counter("tongxin_tls_handshakes_failed")
            .with_description("TLS handshakes that came to nothing, by reason")
            .build();
        Self { counter, unsaid: Arc::default() }
    }

    /// Clients are turned away, which is ours to fix.
    fn tell_of_expiry(&self, now: Instant) {
        let mut unsaid = self.unsaid.lock().unwrap_or_else(PoisonError::into_inner);
        unsaid.0 += 1;
        if unsaid.1.is_none_or(|said| now >= said + QUIET) {
            let clients = std::mem::take(&mut unsaid.0);
            unsaid.1 = Some(now);
            warn!(clients, "clients refuse the certificate of the port, which has expired: renew it");
        }
    }

    fn count(&self, failure: &Failure, address: Option<IpAddr>) {
        self.counter.add(1, &[KeyValue::new("reason", failure.reason())]);
        debug!(client.address = ?address, error = chain(failure), "a TLS handshake failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_who_refuse_an_expired_certificate_are_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let file = Arc::new(std::fs::File::create(&path).unwrap());
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(file);
        let begun = Instant::now();
        tracing::subscriber::with_default(lines.finish(), || {
            let failures = Failures::new();
            for second in 0..900 {
                failures.tell_of_expiry(begun + Duration::from_secs(second));
            }
        });
        let said = std::fs::read_to_string(path).unwrap();
        let [first, second] = said.lines().collect::<Vec<_>>()[..] else { panic!("not two lines: {said}") };
        assert!(first.contains("WARN") && first.contains("clients=1"), "{first}");
        assert!(second.contains("clients=600"), "{second}");
    }
}
