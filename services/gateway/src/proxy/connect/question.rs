//! Converts the request's messages to the body of a gRPC call.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _, stream};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use prost_reflect::MethodDescriptor;
use tokio_util::sync::CancellationToken;
use tongxin_platform::grpc::Unpacked;
use tonic::{Status, body::Body};

use super::{
    envelope::{self, Envelope, Envelopes, PACKED, PLAIN, envelope},
    form::{Codec, Framing},
    gzip,
    head::Head,
    json,
};
use crate::proxy::{EdgeRefused, fault::Fault};

type Messages = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

/// How to read the messages.
pub(super) struct Source {
    codec: Codec,
    method: MethodDescriptor,
    is_packed: bool,
    unpacked: Option<Unpacked>,
    most: usize,
}

impl Source {
    pub(super) fn new(head: &Head, unpacked: Option<Unpacked>, most: usize) -> Self {
        let Head { form, method, is_packed, .. } = head;
        Self { codec: form.codec, method: method.clone(), is_packed: *is_packed, unpacked, most }
    }

    /// Reads the body lazily, so only after the access check. If the messages break off or the call is over, the body
    /// ends with an error, so that the service never mistakes a part for the whole; `fault` then holds the reason.
    pub(super) fn read(self, body: Body, framing: Framing, fault: Fault, over: CancellationToken) -> Body {
        let messages: Messages = match framing {
            Framing::Envelopes => Box::pin(self.each(body)),
            Framing::Whole => Box::pin(stream::once(self.whole_call(body))),
        };
        let frames = stream::unfold(Some(messages), move |messages| {
            let (fault, over) = (fault.clone(), over.clone());
            async move {
                let mut messages = messages?;
                let next = tokio::select! {
                    next = messages.next() => next?,
                    () = over.cancelled() => Err(Status::cancelled("the call is over")),
                };
                match next {
                    Ok(message) => Some((Ok(Frame::data(message)), Some(messages))),
                    Err(status) => {
                        fault.is(status.clone());
                        Some((Err(status), None))
                    }
                }
            }
        });
        Body::new(StreamBody::new(frames))
    }

    /// A body of one message, or in JSON of all messages of a stream.
    async fn whole_call(self, body: Body) -> Result<Bytes, Status> {
        if let Some(unpacked) = &self.unpacked {
            unpacked.judge();
        }
        let bytes = self.whole(body).await?;
        let form = self.method.input();
        if !self.method.is_client_streaming() {
            return Ok(envelope(PLAIN, &self.codec.read(bytes, form, self.caller()).await?));
        }
        let length = bytes.len();
        let messages = json::in_turn(length, self.caller(), move || json::messages(&bytes, &form)).await?;
        // It is in memory in addition to the received bytes until the service has read it.
        if let Some(unpacked) = &self.unpacked {
            unpacked.charge(messages.len())?;
        }
        Ok(messages)
    }

    fn caller(&self) -> &str {
        self.unpacked.as_ref().and_then(Unpacked::subject).unwrap_or_default()
    }

    async fn whole(&self, mut body: Body) -> Result<Bytes, Status> {
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            if bytes.len() + data.len() > self.most {
                return Err(EdgeRefused::MessageTooLarge(self.most).into());
            }
            bytes.extend_from_slice(&data);
        }
        if self.is_packed { self.unpack(&bytes).await } else { Ok(bytes.freeze()) }
    }

    fn each(self, body: Body) -> impl Stream<Item = Result<Bytes, Status>> + Send {
        let envelopes = Envelopes::new(body, self.most);
        stream::try_unfold((self, envelopes, 0), |(source, mut envelopes, held)| async move {
            let most = source.most;
            let next = envelopes.next().await.map_err(|fault| explain(fault, most))?;
            // Like uncompressed messages, each is charged until the next one is read.
            if let Some(unpacked) = &source.unpacked {
                unpacked.release(held);
            }
            let Some(next) = next else { return Ok(None) };
            let (message, held) = source.message(next).await?;
            Ok(Some((message, (source, envelopes, held))))
        })
    }

    /// A message, and how many bytes it holds beyond those received.
    async fn message(&self, came: Envelope) -> Result<(Bytes, usize), Status> {
        let input = self.method.input();
        match (came.flags, self.codec) {
            (PLAIN, Codec::Proto) => Ok((came.whole(), 0)),
            (PLAIN, codec) => Ok((envelope(PLAIN, &codec.read(came.message(), input, self.caller()).await?), 0)),
            (PACKED, codec) if self.is_packed => {
                let plain = self.unpack(&came.message()).await?;
                let held = plain.len();
                Ok((envelope(PLAIN, &codec.read(plain, input, self.caller()).await?), held))
            }
            (PACKED, _) => {
                Err(EdgeRefused::MessageMalformed("a message is compressed, but connect-content-encoding is not there")
                    .into())
            }
            _ => Err(EdgeRefused::MessageMalformed("an envelope has flags that a request cannot have").into()),
        }
    }

    async fn unpack(&self, packed: &[u8]) -> Result<Bytes, Status> {
        gzip::unpack(packed, self.most, self.unpacked.as_ref()).await
    }
}

fn explain(fault: envelope::Fault, most: usize) -> Status {
    match fault {
        envelope::Fault::Broken(status) => broken(status),
        envelope::Fault::EndsEarly => EdgeRefused::MessageMalformed("it ends within a message").into(),
        envelope::Fault::TooLarge => EdgeRefused::MessageTooLarge(most).into(),
    }
}

/// A status with details is from the access layer and says why it stopped reading; all others are connection errors.
fn broken(status: Status) -> Status {
    if status.details().is_empty() { EdgeRefused::BodyBroken(status).into() } else { status }
}
