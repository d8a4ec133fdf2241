//! Bytes that are no message of the contract.

use tonic::{
    Code, Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use crate::support::{PROVINCE, TestApp, told};

/// Sends bytes as they are.
#[derive(Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, bytes: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(out, &bytes);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, _: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        Ok(Some(()))
    }
}

async fn send(app: &TestApp, method: &str, bytes: &[u8]) -> Status {
    let mut client = tonic::client::Grpc::new(app.channel());
    client.ready().await.unwrap();
    let mut request = Request::new(bytes.to_vec());
    let token = format!("Bearer {}", app.world.token("hq", PROVINCE));
    request.metadata_mut().insert("authorization", token.parse().unwrap());
    let path = format!("/tongxin.pairing.v1.PairingService/{method}").parse().unwrap();
    client.unary(request, path, Bytes).await.unwrap_err()
}

#[tokio::test]
async fn text_that_is_no_text_and_bytes_that_are_no_message_are_refused() {
    let app = TestApp::start().await;
    // Field 1 (code), two bytes that are no UTF-8; a length beyond the end; a tag without a field.
    for bytes in [&[0x0a, 0x02, 0xff, 0xfe][..], &[0x0a, 0x7f], &[0xff]] {
        let refused = send(&app, "GetRegion", bytes).await;
        assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::InvalidArgument, "MESSAGE_MALFORMED"));
    }
    assert!(send(&app, "GetRegion", &[0x0a, 0x02, 0xff, 0xfe]).await.message().contains("code"));

    // Field 2 (organisation), in it field 1 (name).
    let refused = send(&app, "RegisterOrganisation", &[0x12, 0x04, 0x0a, 0x02, 0xff, 0xfe]).await;
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::InvalidArgument, "MESSAGE_MALFORMED"));
    assert!(refused.message().contains("name"), "{}", refused.message());
    assert_eq!(app.all_events().await, 0);
}
