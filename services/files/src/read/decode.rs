//! Text files in whatever encoding, as UTF-8 with `\n` line ends.

use std::io::{self, Read, Seek};

use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::{
    line::{read_fully, unreadable, whole},
    quotes::Quotes,
};
use crate::fault::{Fault, Found, Place};

/// How much is read at once.
const BUFFER: usize = 64 << 10;

/// So many characters of three bytes, before the first fault, make it UTF-8 with a fault: bytes of GB18030 are that by
/// chance once in ten thousand files.
const UTF_8_AFTER: usize = 2;

/// The encoding of a file, and how many bytes at its begin only say so. Reads the whole file.
pub(super) fn encoding(file: &mut (impl Read + Seek)) -> Result<(&'static Encoding, u64), Fault> {
    let mut begin = [0; 4];
    let read = read_fully(file, &mut begin)?;
    file.rewind().map_err(|error| unreadable(&error))?;
    if let Some((encoding, mark)) = Encoding::for_bom(&begin[..read]) {
        return Ok((encoding, mark as u64));
    }
    // Headings of ours begin with a letter or a Chinese character; in UTF-16, ASCII has a zero byte beside it.
    match begin[..read] {
        [0, low, ..] if low != 0 => return Ok((UTF_16BE, 0)),
        [low, 0, ..] if low != 0 => return Ok((UTF_16LE, 0)),
        _ => {}
    }
    let found = scan(file)?;
    file.rewind().map_err(|error| unreadable(&error))?;
    match found {
        Scanned::Utf8 => Ok((UTF_8, 0)),
        Scanned::CutOff => Err(whole(Found::CutOff)),
        Scanned::Fault { characters, line } if characters >= UTF_8_AFTER => {
            Err(Fault { place: Place { line, ..Place::default() }, found: Found::Encoding })
        }
        Scanned::Fault { .. } => Ok((GB18030, 0)),
    }
}

enum Scanned {
    Utf8,
    /// The last character is not complete.
    CutOff,
    /// What is no UTF-8 comes after so many characters of three bytes, in this line.
    Fault {
        characters: usize,
        line: u64,
    },
}

fn scan(file: &mut impl Read) -> Result<Scanned, Fault> {
    let mut buffer = vec![0; BUFFER];
    let (mut kept, mut characters, mut line) = (0, 0, 1);
    loop {
        let read = read_fully(file, &mut buffer[kept..])?;
        let filled = kept + read;
        match str::from_utf8(&buffer[..filled]) {
            Ok(text) => {
                characters += three_bytes(text.as_bytes());
                line += breaks(text.as_bytes());
                kept = 0;
            }
            Err(error) => {
                let (valid, rest) = buffer[..filled].split_at(error.valid_up_to());
                characters += three_bytes(valid);
                line += breaks(valid);
                if error.error_len().is_some() {
                    return Ok(Scanned::Fault { characters, line });
                }
                kept = rest.len();
                buffer.copy_within(filled - kept..filled, 0);
            }
        }
        if read == 0 {
            // Half a character of another encoding may stand at the end of a short file.
            return Ok(match kept {
                0 => Scanned::Utf8,
                _ if characters >= UTF_8_AFTER => Scanned::CutOff,
                _ => Scanned::Fault { characters, line },
            });
        }
    }
}

/// Number of characters of UTF-8 with three bytes or more, as Chinese ones have.
fn three_bytes(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte >= 0xe0).count()
}

fn breaks(text: &[u8]) -> u64 {
    text.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// The most bytes of a line, with the line breaks in its fields.
pub(super) const LONGEST: usize = 256 << 10;

/// Text as UTF-8 with `\n` line ends; reading a line that is too long fails.
pub(super) struct Decoded<R> {
    input: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// Bytes of `raw` that are not decoded yet.
    ahead: std::ops::Range<usize>,
    is_last: bool,
    is_done: bool,
    /// Whether what comes next cannot be decoded.
    is_malformed: bool,
    /// The last byte before line ends were unified.
    last: u8,
    pub quotes: Quotes,
}

impl<R: Read> Decoded<R> {
    pub fn new(input: R, encoding: &'static Encoding, separator: u8) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; BUFFER],
            ahead: 0..0,
            is_last: false,
            is_done: false,
            is_malformed: false,
            last: 0,
            quotes: Quotes::new(separator),
        }
    }

    /// Whether the last byte so far ended a line.
    pub fn ended_line(&self) -> bool {
        matches!(self.last, b'\r' | b'\n')
    }

    /// Turns `\r\n` and `\r` into `\n`, in place.
    fn unify_line_ends(&mut self, text: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..text.len() {
            let byte = text[at];
            let is_second = byte == b'\n' && self.last == b'\r';
            self.last = byte;
            if !is_second {
                text[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
        }
        kept
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.quotes.length > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        loop {
            if self.is_malformed {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if self.ahead.is_empty() && !self.is_last {
                let read = self.input.read(&mut self.raw)?;
                self.ahead = 0..read;
                self.is_last = read == 0;
            }
            if self.is_done {
                return Ok(0);
            }
            let (result, taken, written) =
                self.decoder.decode_to_utf8_without_replacement(&self.raw[self.ahead.clone()], out, self.is_last);
            self.ahead.start += taken;
            match result {
                DecoderResult::InputEmpty if self.is_last => {
                    self.is_done = true;
                    self.quotes.end();
                }
                DecoderResult::OutputFull if written == 0 && taken == 0 => {
                    return Err(io::ErrorKind::InvalidInput.into());
                }
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
                // What comes before is handed on first.
                DecoderResult::Malformed(..) => self.is_malformed = true,
            }
            let written = self.unify_line_ends(&mut out[..written]);
            if written > 0 {
                self.quotes.look(&out[..written]);
                return Ok(written);
            }
        }
    }
}
