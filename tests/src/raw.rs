//! Calls of any method of the contract, with whatever bytes.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::{Stream, StreamExt as _};
use prost::bytes::{Buf as _, BufMut as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
};

use crate::Connection;

/// Longer than any call of a test takes.
const WITHIN: Duration = Duration::from_mins(1);

/// Messages as they are on the wire.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawCodec;

impl Codec for RawCodec {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for RawCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}

/// Calls a method such as `/tongxin.pairing.v1.PairingService/GetRegion` with some messages, and returns its answers.
///
/// # Errors
/// What it answers instead.
pub async fn call<S>(connection: &Connection, path: &str, messages: S) -> Result<Vec<Vec<u8>>, Status>
where
    S: Stream<Item = Vec<u8>> + Send + 'static,
{
    let path = PathAndQuery::try_from(path).map_err(|error| Status::internal(error.to_string()))?;
    let mut grpc = Grpc::new(connection.clone());
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut request = Request::new(messages);
    request.set_timeout(WITHIN);
    let mut answers = grpc.streaming(request, path, RawCodec).await?.into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.next().await {
        all.push(answer?);
    }
    Ok(all)
}

/// Posts JSON, or what should be JSON, to a path of a gateway such as `http://127.0.0.1:7400`, on a connection of its own; returns the
/// code and the body of the answer.
///
/// # Errors
/// When there is no answer.
pub async fn post(gateway: &str, token: &str, path: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
    let address = gateway.trim_start_matches("http://");
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         authorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(head.as_bytes()).await?;
    // Whoever refuses a body need not read it.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    tokio::time::timeout(WITHIN, stream.read_to_end(&mut answer)).await.context("no end of the answer")??;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").context("no whole head")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    ensure!(!head.contains("transfer-encoding"), "an answer in chunks: {head}");
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no code")?;
    Ok((code, answer.split_off(end + 4)))
}
