//! A server whose answers cross the cancellations of its client.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tongxin_proto::log::v1::{GetHeadRequest, log_service_client::LogServiceClient};
use tonic::Code;

use super::{
    channel,
    raw::{END_HEADERS, END_STREAM, HEADERS, RST_STREAM, SETTINGS, frame, next_frame, text},
};

/// More than a client remembers and the library forgives together.
const GIVEN_UP: usize = 2_500;

/// Answers nobody until so many calls were given up. Then it answers those, and `NOT_FOUND` to all that come after.
async fn answer_too_late(mut connection: TcpStream, seen: mpsc::UnboundedSender<u8>) {
    connection.read_exact(&mut [0; 24]).await.unwrap();
    connection.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    let mut given_up = Vec::new();
    let mut not_found = vec![0x88, 0];
    text(&mut not_found, "grpc-status");
    text(&mut not_found, "5");
    let answer = |stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, &not_found);
    while let Some((kind, stream, _)) = next_frame(&mut connection).await {
        if kind == HEADERS && given_up.len() == GIVEN_UP {
            connection.write_all(&answer(stream)).await.unwrap();
        }
        if kind == RST_STREAM && given_up.len() < GIVEN_UP {
            given_up.push(stream);
            if given_up.len() == GIVEN_UP {
                connection.write_all(&given_up.iter().copied().flat_map(answer).collect::<Vec<_>>()).await.unwrap();
            }
        }
        if kind == HEADERS || kind == RST_STREAM {
            seen.send(kind).unwrap();
        }
    }
}

#[tokio::test]
async fn answers_to_calls_that_were_given_up_do_not_end_the_connection_of_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (seen, mut arrived) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        // One connection: a client that has to make another one is not answered.
        let (connection, _) = listener.accept().await.unwrap();
        answer_too_late(connection, seen).await;
    });
    let client = LogServiceClient::new(channel(&address).unwrap());
    for _ in 0..GIVEN_UP {
        let mut client = client.clone();
        let call = tokio::spawn(async move { client.get_head(GetHeadRequest {}).await });
        assert_eq!(arrived.recv().await, Some(HEADERS));
        call.abort();
        assert_eq!(arrived.recv().await, Some(RST_STREAM));
    }
    let mut client = client.clone();
    let answer = tokio::time::timeout(Duration::from_secs(30), client.get_head(GetHeadRequest {})).await;
    assert_eq!(answer.expect("an answer").unwrap_err().code(), Code::NotFound);
}
