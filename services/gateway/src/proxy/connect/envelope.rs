//! Messages in a body, each with a prefix of flags and length, the same in Connect and gRPC.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use tonic::{Status, body::Body};

/// Flags in one byte, and a length in four.
const HEAD: usize = 5;

/// Flags of an uncompressed message.
pub(super) const PLAIN: u8 = 0;

/// Flags of a compressed message.
pub(super) const PACKED: u8 = 1;

/// Flags of Connect's end-of-stream message.
pub(super) const END: u8 = 2;

pub(super) fn envelope(flags: u8, message: &[u8]) -> Bytes {
    let mut whole = BytesMut::with_capacity(HEAD + message.len());
    whole.put_u8(flags);
    // Message limits are far below four gibibytes.
    whole.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    whole.put_slice(message);
    whole.freeze()
}

/// A message with its prefix.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) flags: u8,
    whole: Bytes,
}

impl Envelope {
    pub(super) fn message(&self) -> Bytes {
        self.whole.slice(HEAD..)
    }

    /// With the prefix, as received.
    pub(super) fn whole(self) -> Bytes {
        self.whole
    }
}

/// Why the next message cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    Broken(Status),
    EndsEarly,
    TooLarge,
}

pub(super) struct Envelopes {
    body: Body,
    most: usize,
    buffer: BytesMut,
    trailers: Option<HeaderMap>,
}

impl Envelopes {
    /// `most` is the maximum size of a message in bytes.
    pub(super) fn new(body: Body, most: usize) -> Self {
        Self { body, most, buffer: BytesMut::new(), trailers: None }
    }

    /// The next message; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Envelope>, Fault> {
        loop {
            // The stated length allocates nothing: the buffer grows with the received bytes.
            if let Some([flags, length @ ..]) = self.buffer.first_chunk::<HEAD>().copied() {
                let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                if length > self.most {
                    return Err(Fault::TooLarge);
                }
                if self.buffer.len() >= HEAD + length {
                    return Ok(Some(Envelope { flags, whole: self.buffer.split_to(HEAD + length).freeze() }));
                }
            }
            let Some(frame) = self.body.frame().await else {
                return if self.buffer.is_empty() { Ok(None) } else { Err(Fault::EndsEarly) };
            };
            match frame.map_err(Fault::Broken)?.into_data() {
                Ok(data) => self.buffer.extend_from_slice(&data),
                Err(frame) => self.trailers = frame.into_trailers().ok(),
            }
        }
    }

    /// The trailers of the body.
    pub(super) fn trailers(&mut self) -> Option<HeaderMap> {
        self.trailers.take()
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    fn body(bytes: &[u8], cut: usize) -> Body {
        let pieces: Vec<_> =
            bytes.chunks(cut).map(|piece| Ok::<_, Status>(Frame::data(Bytes::copy_from_slice(piece)))).collect();
        Body::new(StreamBody::new(stream::iter(pieces)))
    }

    async fn read(bytes: &[u8], cut: usize) -> (Vec<(u8, Bytes)>, Option<Fault>) {
        let mut envelopes = Envelopes::new(body(bytes, cut), 8);
        let mut read = Vec::new();
        loop {
            match envelopes.next().await {
                Ok(Some(envelope)) => read.push((envelope.flags, envelope.message())),
                Ok(None) => return (read, None),
                Err(fault) => return (read, Some(fault)),
            }
        }
    }

    #[tokio::test]
    async fn messages_are_the_same_however_they_are_cut() {
        let bytes = [envelope(PLAIN, b"one"), envelope(PACKED, b""), envelope(END, b"12345678")].concat();
        let right: Vec<(u8, Bytes)> = vec![(0, "one".into()), (1, "".into()), (2, "12345678".into())];
        for cut in 1..=bytes.len() {
            let (read, fault) = read(&bytes, cut).await;
            assert_eq!(read, right);
            assert!(fault.is_none(), "{fault:?}");
        }
    }

    #[tokio::test]
    async fn what_ends_within_a_message_or_is_too_large_is_told_apart() {
        let one = envelope(PLAIN, b"one");
        for end in 1..one.len() {
            let bytes = [&one, &one[..end]].concat();
            let (read, fault) = read(&bytes, 3).await;
            assert!(read.len() == 1 && matches!(fault, Some(Fault::EndsEarly)), "{end}: {fault:?}");
        }
        for length in [9, u32::MAX] {
            let head = [&[PLAIN][..], &length.to_be_bytes()].concat();
            let (_, fault) = read(&head, 5).await;
            assert!(matches!(fault, Some(Fault::TooLarge)), "{fault:?}");
        }
    }
}
