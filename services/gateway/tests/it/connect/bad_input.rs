//! Bodies that are none: each is refused at once, by its name.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{BATCH, SOON, batch, envelope, gzip, post, refusal, stream_of};
use crate::support::{FakePairing, PROVINCE, Stage, world};

const FORMS: [&str; 2] = ["application/connect+json", "application/connect+proto"];

#[tokio::test]
async fn what_is_no_envelope_is_refused() {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let stage = Stage::with(world, nats, pairing, |config| config.grpc.max_message_bytes = 64 << 10).await;
    let length = |length: u32| [&[0][..], &length.to_be_bytes()].concat();
    let malformed = ("invalid_argument", "MESSAGE_MALFORMED");
    let large = ("resource_exhausted", "MESSAGE_TOO_LARGE");
    let packed = [("connect-content-encoding", "gzip")];
    for form in FORMS {
        for (body, headers, right) in [
            // Cut off within the head, and within the message.
            (vec![0, 0, 0], &[][..], malformed),
            ([length(9), vec![b' '; 8]].concat(), &[], malformed),
            // More than is taken, said or sent.
            (length(u32::MAX), &[], large),
            (envelope(0, vec![b' '; (64 << 10) + 1]), &[], large),
            // Flags that a request cannot have.
            (envelope(2, "{}"), &[], malformed),
            (envelope(4, "{}"), &[], malformed),
            (envelope(0xff, "{}"), &[], malformed),
            // Compressed without saying how, or not compressed at all.
            (envelope(1, gzip("{}")), &[], malformed),
            (envelope(1, "{}"), &packed, malformed),
            (envelope(1, &gzip("{}")[..12]), &packed, malformed),
            (envelope(3, gzip("{}")), &packed, malformed),
        ] {
            let answer = timeout(SOON, post(&stage, BATCH, form, headers, body.clone())).await.unwrap();
            let (answers, end) = stream_of(answer).await;
            assert!(answers.is_empty());
            assert_eq!(refusal(&end["error"]), right, "{form}: {:?}", &body[..body.len().min(20)]);
        }
    }
    let ended = stage.pairing.ended.lock().unwrap().clone();
    assert!(ended.iter().all(Result::is_err), "{ended:?}");
    stage.stop().await;
}

#[tokio::test]
async fn messages_that_are_not_of_the_contract_are_refused_and_not_repeated() {
    let stage = Stage::set().await;
    let [options, _] = batch(&[]);
    for message in [
        r#"{"陈小明":441823198001010017}"#,
        r#"{"rows":{"rows":[{"name":441823198001010017}]}}"#,
        r#"{"options":{},"rows":{}}"#,
        "[]",
        "{",
        "",
        "\u{feff}{}",
    ] {
        let body = [envelope(0, options.to_string()), envelope(0, message)].concat();
        let (_, end) = stream_of(post(&stage, BATCH, FORMS[0], &[], body).await).await;
        assert_eq!(refusal(&end["error"]), ("invalid_argument", "MESSAGE_MALFORMED"), "{message}: {end}");
        assert!(!end.to_string().contains("441823198001010017"), "{end}");
    }
    // The service itself reads protobuf, and says the same in every protocol.
    let (_, end) = stream_of(post(&stage, BATCH, FORMS[1], &[], envelope(0, [0xff; 9])).await).await;
    assert_ne!(refusal(&end["error"]).0, "unknown", "{end}");
    stage.stop().await;
}

/// One who is not let in is answered before the body is there.
#[tokio::test]
async fn a_body_is_read_only_for_those_who_may() {
    let stage = Stage::set().await;
    for (token, code) in
        [(String::new(), "unauthenticated"), (stage.world.token("village", PROVINCE), "permission_denied")]
    {
        let mut connection = TcpStream::connect(stage.grpc).await.unwrap();
        let head = format!(
            "POST /{BATCH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/connect+json\r\ncontent-length: 9000\r\n\
             authorization: Bearer {token}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(SOON, connection.read_to_end(&mut answer)).await.expect("an answer").unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(code), "{answer}");
    }
    stage.stop().await;
}

/// What it still sends does not take the reason from it, nor the connection.
#[tokio::test]
async fn who_is_refused_while_it_sends_reads_why_and_calls_again() {
    let stage = Stage::set().await;
    let mut connection = TcpStream::connect(stage.grpc).await.unwrap();
    for (form, reason) in [
        ("application/connect+json", "TOKEN_MISSING"),
        ("application/json", "TOKEN_MISSING"),
        ("application/grpc-web", ""),
    ] {
        let head =
            format!("POST /{BATCH} HTTP/1.1\r\nhost: x\r\ncontent-type: {form}\r\ncontent-length: 90000\r\n\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..9 {
            // As a program sends that makes each message when the last is gone.
            tokio::time::sleep(Duration::from_millis(10)).await;
            connection.write_all(&[b' '; 10_000]).await.unwrap();
        }
        let mut answer = Vec::new();
        while !String::from_utf8_lossy(&answer).contains(if reason.is_empty() { "grpc-status: 16" } else { reason }) {
            let read = timeout(SOON, connection.read_buf(&mut answer)).await.expect("an answer").unwrap();
            assert!(read > 0, "{form}: {}", String::from_utf8_lossy(&answer));
        }
        // To its end, which comes with it or right after it.
        while !answer.ends_with(b"}") && !answer.ends_with(b"\r\n\r\n") {
            assert!(timeout(SOON, connection.read_buf(&mut answer)).await.expect("an end").unwrap() > 0);
        }
    }
    stage.stop().await;
}
