//! HTTP/2 frame by frame.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

use super::Tally;

/// Kinds of frames.
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The setting of the window that new streams have.
pub const INITIAL_WINDOW: u16 = 4;

/// A connection whose client speaks frames.
pub struct Wire {
    write: OwnedWriteHalf,
    reading: JoinHandle<()>,
    is_over: Arc<AtomicBool>,
    next_stream: u32,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Wire {
    /// Connects and sends the preface with some settings. Counts streams that the server ends with an error or at once, and the
    /// end of the connection, as refusals.
    pub async fn open(address: &str, settings: &[(u16, u32)], tally: Arc<Tally>) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        let is_over = Arc::<AtomicBool>::default();
        let over = Arc::clone(&is_over);
        let reading = tokio::spawn(async move {
            // Whatever ends the connection turns its client away.
            let _ = count(read, &tally).await;
            tally.refused();
            over.store(true, Ordering::Relaxed);
        });
        let mut wire = Self { write, reading, is_over, next_stream: 1 };
        wire.write.write_all(PREFACE).await?;
        let payload: Vec<u8> =
            settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
        wire.frame(SETTINGS, 0, 0, &payload).await?;
        Ok(wire)
    }

    /// Whether the server has ended it.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    pub async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(9 + payload.len());
        bytes.extend(u32::try_from(payload.len()).unwrap_or_default().to_be_bytes().into_iter().skip(1));
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        self.write.write_all(&bytes).await
    }

    /// Begins a gRPC call and returns its stream.
    pub async fn call(&mut self, path: &str, token: Option<&str>, ends: bool) -> io::Result<u32> {
        self.call_in("application/grpc", path, token, ends).await
    }

    /// The same in another protocol, by its content type.
    pub async fn call_in(&mut self, form: &str, path: &str, token: Option<&str>, ends: bool) -> io::Result<u32> {
        let stream = self.next_stream;
        self.next_stream += 2;
        let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
        self.frame(HEADERS, flags, stream, &head_in(form, path, token)).await?;
        Ok(stream)
    }

    /// Sends a whole message as gRPC and Connect have it, and ends the request.
    pub async fn message(&mut self, stream: u32, message: &[u8]) -> io::Result<()> {
        let length = u32::try_from(message.len()).unwrap_or_default().to_be_bytes();
        self.frame(DATA, END_STREAM, stream, &[&[0][..], &length, message].concat()).await
    }
}

/// The headers of a gRPC call in HPACK, each a literal that is not indexed.
pub fn head(path: &str, token: Option<&str>) -> Vec<u8> {
    head_in("application/grpc", path, token)
}

fn head_in(form: &str, path: &str, token: Option<&str>) -> Vec<u8> {
    let mut block = Vec::new();
    let mut field = |name: &str, value: &str| {
        block.push(0);
        text(&mut block, name);
        text(&mut block, value);
    };
    field(":method", "POST");
    field(":scheme", "http");
    field(":path", path);
    field(":authority", "127.0.0.1");
    field("content-type", form);
    field("te", "trailers");
    if let Some(token) = token {
        field("authorization", &format!("Bearer {token}"));
    }
    block
}

fn text(block: &mut Vec<u8>, text: &str) {
    // The length as an integer with a prefix of seven bits.
    match text.len() {
        short @ 0..127 => block.push(u8::try_from(short).unwrap_or_default()),
        long => {
            block.push(127);
            let mut rest = long - 127;
            while rest >= 128 {
                block.push(u8::try_from(rest % 128).unwrap_or_default() | 128);
                rest /= 128;
            }
            block.push(u8::try_from(rest).unwrap_or_default());
        }
    }
    block.extend(text.as_bytes());
}

/// Reads frames to the end of the connection.
async fn count(mut read: OwnedReadHalf, tally: &Tally) -> io::Result<()> {
    loop {
        let mut head = [0; 9];
        read.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        read.read_exact(&mut payload).await?;
        match (head[3], head[4]) {
            (RST_STREAM, _) => tally.refused(),
            // A head that is the end, too, says no more than why not.
            // Connect has the reason in a body.
            (HEADERS | DATA, flags) if flags & END_STREAM != 0 => tally.refused(),
            (GOAWAY, _) => return Ok(()),
            (SETTINGS | PING, flags) if flags & ACK != 0 => {}
            _ => {}
        }
    }
}
