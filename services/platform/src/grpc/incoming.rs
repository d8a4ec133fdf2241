//! Incoming connections: each has to identify its protocol soon, and is closed when its place is needed.

use std::{
    future::Future as _,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, StreamExt as _, future::ready as now, stream::BoxStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Sleep, sleep},
};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tonic::transport::server::{Connected, TcpIncoming};

use super::{
    connections::{Connections, Peer, Seat},
    tls,
};

/// Time limit for a client to show which protocol it speaks.
const PATIENCE: Duration = Duration::from_secs(10);

/// Length of the HTTP/2 client preface. No request of HTTP/1 is shorter.
const PREFACE_BYTES: usize = 24;

/// Plain or encrypted.
pub(super) type Transport = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// The connections to a listener, which speak TLS if there is a certificate; `idle` is how long one may stay without a
/// call.
pub(super) fn incoming(
    listener: TcpListener,
    connections: Connections,
    idle: Duration,
    tls: Option<Arc<tls::Current>>,
) -> BoxStream<'static, io::Result<Connection<Transport>>> {
    let accepted = accepted(listener, connections);
    let connection = move |transport, seat| Connection::new(transport, seat, idle);
    match tls {
        None => {
            accepted.map(move |accepted| accepted.map(|(stream, seat)| connection(Either::Left(stream), seat))).boxed()
        }
        Some(current) => tls::secured(accepted, current)
            .map(move |secured| secured.map(|(stream, seat)| connection(Either::Right(Box::new(stream)), seat)))
            .boxed(),
    }
}

/// Connections that got a place. One that gets none is closed at once: its client learns it immediately and may try
/// another replica.
fn accepted(
    listener: TcpListener,
    connections: Connections,
) -> impl Stream<Item = io::Result<(TcpStream, Seat)>> + Send + Unpin + 'static {
    TcpIncoming::from(listener).with_nodelay(Some(true)).filter_map(move |accepted| {
        now(match accepted {
            Err(error) => Some(Err(error)),
            Ok(stream) => {
                let address: Option<SocketAddr> = stream.peer_addr().ok();
                connections.enter(address).map(|peer| Ok((stream, Seat::of(peer))))
            }
        })
    })
}

/// A connection with a place. It loses the place if its client does not identify its protocol, or makes no call.
pub(super) struct Connection<S> {
    stream: S,
    peer: Seat,
    idle: Duration,
    greeting: Option<usize>,
    until: Option<Pin<Box<Sleep>>>,
}

impl<S> Connection<S> {
    fn new(stream: S, peer: Seat, idle: Duration) -> Self {
        Self { stream, peer, idle, greeting: Some(PREFACE_BYTES), until: Some(Box::pin(sleep(PATIENCE))) }
    }

    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        if self.peer.is_closing(context) {
            return true;
        }
        while let Some(until) = &mut self.until {
            if until.as_mut().poll(context).is_pending() {
                return false;
            }
            if self.greeting.is_some() {
                return true;
            }
            match self.peer.stays_until(self.idle) {
                Some(moment) if moment <= tokio::time::Instant::now() => return true,
                Some(moment) => until.as_mut().reset(moment),
                None => self.until = None,
            }
        }
        false
    }

    /// A peer that does not read our last bytes, such as the end of TLS, cannot keep a connection that has to close.
    fn unless_over(&mut self, done: Poll<io::Result<()>>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if done.is_pending() && self.is_over(context) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { done }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let (Some(missing), false) = (self.greeting, read.is_pending()) {
            let missing = missing.saturating_sub(buffer.filled().len() - before);
            self.greeting = (missing > 0).then_some(missing);
        }
        // A peer that sends continuously cannot keep a connection that has to close.
        if self.is_over(context) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { read }
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
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.unless_over(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.unless_over(shut, context)
    }
}

impl<S> Connected for Connection<S> {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer::clone(&self.peer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::timeout,
    };

    use super::*;
    use crate::grpc::GrpcConfig;

    fn connected() -> (DuplexStream, Connection<DuplexStream>) {
        let (client, server) = duplex(1_024);
        let connections = Connections::new(&GrpcConfig::default());
        (client, Connection::new(server, Seat::of(connections.enter(None).unwrap()), PATIENCE))
    }

    async fn read_all(mut connection: Connection<DuplexStream>) -> io::Result<usize> {
        let mut read = Vec::new();
        // Nothing waits for real time: tokio's paused clock advances as soon as nothing else runs.
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
    async fn a_client_who_speaks_and_does_not_call_is_cut_off() {
        let (mut client, connection) = connected();
        let pinging = tokio::spawn(async move {
            while client.write_all(&[b'P'; PREFACE_BYTES]).await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(read_all(connection).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        pinging.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_who_was_let_in_may_be_silent() {
        let (mut client, connection) = connected();
        drop(connection.peer.busy(true));
        client.write_all(&[b'P'; PREFACE_BYTES]).await.unwrap();
        let later = tokio::spawn(async move {
            sleep(PATIENCE * 3).await;
            client.write_all(b"later").await.unwrap();
        });
        assert_eq!(read_all(connection).await.unwrap(), PREFACE_BYTES + 5);
        later.await.unwrap();
    }
}
