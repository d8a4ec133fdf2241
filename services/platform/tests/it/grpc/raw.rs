//! HTTP/2 frame by frame, for clients and servers that do what no library does.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const GOAWAY: u8 = 7;
pub const SETTINGS: u8 = 4;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
const DATA: u8 = 0;

pub struct Raw(TcpStream);

impl Raw {
    /// A connection with an initial window for responses.
    pub async fn connect(address: SocketAddr, window: u32) -> Self {
        let mut raw = Self(TcpStream::connect(address).await.unwrap());
        raw.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let initial_window = [&[0, 4], &window.to_be_bytes()[..]].concat();
        raw.send(SETTINGS, 0, 0, &initial_window).await.unwrap();
        raw
    }

    /// Requests the head of the log; `whole` sends the message, too, which otherwise never comes.
    pub async fn ask(&mut self, stream: u32, bearer: &str, whole: bool) -> std::io::Result<()> {
        let mut head = Vec::new();
        for (name, value) in [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/tongxin.log.v1.LogService/GetHead"),
            (":authority", "x"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("authorization", bearer),
        ] {
            head.push(0);
            text(&mut head, name);
            text(&mut head, value);
        }
        self.send(HEADERS, END_HEADERS, stream, &head).await?;
        if whole {
            self.send(DATA, END_STREAM, stream, &[0; 5]).await?;
        }
        Ok(())
    }

    pub async fn reset(&mut self, stream: u32) -> std::io::Result<()> {
        self.send(RST_STREAM, 0, stream, &8_u32.to_be_bytes()).await
    }

    /// The next frame of a type; `None` when the connection has ended.
    pub async fn next(&mut self, kind: u8) -> Option<Vec<u8>> {
        loop {
            let (found, _, payload) = next_frame(&mut self.0).await?;
            if found == kind {
                return Some(payload);
            }
        }
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> std::io::Result<()> {
        self.0.write_all(&frame(kind, flags, stream, payload)).await
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Kind, stream and payload; none when the connection has ended.
pub async fn next_frame(connection: &mut TcpStream) -> Option<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    connection.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    connection.read_exact(&mut payload).await.ok()?;
    Some((head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
}

/// An encoded header text: its length, with continuation bytes from 127 on, and itself.
pub fn text(head: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    if length < 127 {
        head.push(u8::try_from(length).unwrap());
    } else {
        head.push(127);
        length -= 127;
        while length >= 128 {
            head.push(u8::try_from(length % 128).unwrap() | 128);
            length /= 128;
        }
        head.push(u8::try_from(length).unwrap());
    }
    head.extend_from_slice(text.as_bytes());
}
