//! gzip, with limits for decompression.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::{Compression, write};
use tokio::task::yield_now;
use tongxin_platform::grpc::Unpacked;
use tonic::Status;

use crate::proxy::EdgeRefused;

/// Smaller messages are not compressed.
const WORTH_IT: usize = 1 << 10;

/// Yields to other tasks after so many compressed bytes, which may expand a thousandfold.
const UNPACKED_AT_ONCE: usize = 4 << 10;
const PACKED_AT_ONCE: usize = 64 << 10;

/// Decompresses a message of at most `most` bytes, which are charged to the caller as they are produced.
pub(super) async fn unpack(packed: &[u8], most: usize, counted: Option<&Unpacked>) -> Result<Bytes, Status> {
    if packed.is_empty() {
        return Ok(Bytes::new());
    }
    let mut unpacked = write::GzDecoder::new(Bounded { bytes: Vec::new(), most, counted, refused: None });
    for piece in packed.chunks(UNPACKED_AT_ONCE) {
        if unpacked.write_all(piece).is_err() {
            return Err(refusal(unpacked));
        }
        yield_now().await;
    }
    if unpacked.try_finish().is_err() {
        return Err(refusal(unpacked));
    }
    Ok(std::mem::take(&mut unpacked.get_mut().bytes).into())
}

fn refusal(mut unpacked: write::GzDecoder<Bounded<'_>>) -> Status {
    let refused = unpacked.get_mut().refused.take();
    refused.unwrap_or_else(|| EdgeRefused::MessageMalformed("it is not what gzip makes").into())
}

/// Compresses a message; `None` if it is better left uncompressed.
pub(super) async fn pack(plain: &[u8]) -> Option<Bytes> {
    if plain.len() < WORTH_IT {
        return None;
    }
    let mut packed = write::GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    for piece in plain.chunks(PACKED_AT_ONCE) {
        packed.write_all(piece).ok()?;
        yield_now().await;
    }
    let packed = packed.finish().ok()?;
    (packed.len() < plain.len()).then(|| packed.into())
}

/// A buffer with a size limit.
struct Bounded<'call> {
    bytes: Vec<u8>,
    most: usize,
    counted: Option<&'call Unpacked>,
    refused: Option<Status>,
}

impl Write for Bounded<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let room = if self.bytes.len() + piece.len() > self.most {
            Err(EdgeRefused::MessageTooLarge(self.most).into())
        } else {
            self.counted.map_or(Ok(()), |counted| counted.charge(piece.len()))
        };
        if let Err(refused) = room {
            self.refused = Some(refused);
            return Err(io::Error::other("no more is taken"));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    const MOST: usize = 1 << 20;

    fn made(plain: &[u8]) -> Vec<u8> {
        let mut packed = write::GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(plain).unwrap();
        packed.finish().unwrap()
    }

    #[tokio::test]
    async fn what_was_packed_is_the_same_again() {
        let plain: Vec<u8> = (0..200_000_u32).flat_map(|number| (number / 7).to_be_bytes()).collect();
        let packed = pack(&plain).await.unwrap();
        assert!(packed.len() < plain.len() / 2);
        assert_eq!(unpack(&packed, MOST, None).await.unwrap(), plain);
        assert!(pack(&plain[..WORTH_IT - 1]).await.is_none());
        assert!(unpack(b"", MOST, None).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_bomb_is_refused_at_the_limit() {
        let refused = unpack(&made(&vec![0; 16 << 20]), MOST, None).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert_eq!(unpack(&made(&vec![0; MOST]), MOST, None).await.unwrap().len(), MOST);
    }

    #[tokio::test]
    async fn what_gzip_did_not_make_is_refused() {
        let whole = made(b"a message");
        let (mut flipped, mut longer) = (whole.clone(), whole.clone());
        flipped[14] ^= 1;
        longer.extend(b"and more");
        for end in 1..whole.len() {
            assert_eq!(unpack(&whole[..end], MOST, None).await.unwrap_err().code(), Code::InvalidArgument, "{end}");
        }
        for wrong in [flipped, longer, b"{}".to_vec(), vec![0; 100]] {
            assert_eq!(unpack(&wrong, MOST, None).await.unwrap_err().code(), Code::InvalidArgument, "{wrong:?}");
        }
    }
}
