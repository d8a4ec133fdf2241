//! Connections: so many at once, and each has to begin to speak soon.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{Stream, StreamExt as _, future::ready as now};
use opentelemetry::global;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};
use tonic::transport::server::{Connected, TcpConnectInfo, TcpIncoming};

/// How long a client may take until it has said which protocol it speaks.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long that is: the preface of HTTP/2. No request of HTTP/1 is shorter.
const PREFACE_BYTES: usize = 24;

/// The connections to a listener. One more than `most` at once is closed as soon as it is there:
/// its client learns it at once and may try another replica.
pub(super) fn incoming(listener: TcpListener, most: usize) -> impl Stream<Item = io::Result<Connection<TcpStream>>> {
    let places = Arc::new(Semaphore::new(most));
    let refused = global::meter("tongxin")
        .u64_counter("tongxin_connections_refused")
        .with_description("Connections that were closed because there were too many")
        .build();
    TcpIncoming::from(listener).with_nodelay(Some(true)).filter_map(move |accepted| {
        now(match (accepted, Arc::clone(&places).try_acquire_owned()) {
            (Err(error), _) => Some(Err(error)),
            (Ok(stream), Ok(place)) => Some(Ok(Connection::new(stream, place))),
            (Ok(_), Err(_)) => {
                refused.add(1, &[]);
                None
            }
        })
    })
}

/// A connection that has a place, and loses it when its client does not begin to speak.
pub(super) struct Connection<S> {
    stream: S,
    greeting: Option<Greeting>,
    _place: OwnedSemaphorePermit,
}

/// What a client has yet to send, and until when.
struct Greeting {
    missing: usize,
    until: Pin<Box<Sleep>>,
}

impl<S> Connection<S> {
    fn new(stream: S, place: OwnedSemaphorePermit) -> Self {
        let greeting = Greeting { missing: PREFACE_BYTES, until: Box::pin(sleep(PATIENCE)) };
        Self { stream, greeting: Some(greeting), _place: place }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, greeting, .. } = &mut *self;
        let before = buffer.filled().len();
        let read = Pin::new(stream).poll_read(context, buffer);
        let Some(waiting) = greeting else { return read };
        if read.is_pending() {
            ready!(waiting.until.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        waiting.missing = waiting.missing.saturating_sub(buffer.filled().len() - before);
        if waiting.missing == 0 {
            *greeting = None;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Connected for Connection<TcpStream> {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::timeout,
    };

    use super::*;

    fn connected() -> (DuplexStream, Connection<DuplexStream>) {
        let (client, server) = duplex(1_024);
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        (client, Connection::new(server, place))
    }

    async fn read_all(mut connection: Connection<DuplexStream>) -> io::Result<usize> {
        let mut read = Vec::new();
        // Nobody waits: time goes on as soon as nothing else does.
        timeout(Duration::from_hours(1), connection.read_to_end(&mut read)).await.expect("it is cut off or ends")
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_who_does_not_speak_is_cut_off() {
        let (client, connection) = connected();
        assert_eq!(read_all(connection).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_who_dawdles_over_the_first_words_is_cut_off() {
        let (mut client, connection) = connected();
        let dawdling = tokio::spawn(async move {
            for _ in 0..PREFACE_BYTES {
                sleep(Duration::from_secs(1)).await;
                if client.write_all(b"P").await.is_err() {
                    break;
                }
            }
            client
        });
        assert_eq!(read_all(connection).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        dawdling.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_who_has_spoken_may_be_silent() {
        let (mut client, connection) = connected();
        client.write_all(&[b'P'; PREFACE_BYTES]).await.unwrap();
        let later = tokio::spawn(async move {
            sleep(PATIENCE * 3).await;
            client.write_all(b"later").await.unwrap();
        });
        assert_eq!(read_all(connection).await.unwrap(), PREFACE_BYTES + 5);
        later.await.unwrap();
    }
}
