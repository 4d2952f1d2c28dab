//! Base64 decoded chunk by chunk into a sink, forgiving in what does not matter: white space, missing
//! padding, a `data:` prefix, the URL-safe alphabet.
//!
//! Knows base64. Must not know where it stands.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::domain::sink::{ClipHead, ClipSink};
use crate::domain::text::clean;

use super::stream::Broken;

/// Longest `data:` prefix, in bytes.
const PREFIX_MAX: usize = 256;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes one clip. Nothing reaches the sink before its first byte is known.
pub(super) struct Decoder<'a> {
    sink: &'a mut dyn ClipSink,
    /// Text that does not make whole bytes yet.
    text: Vec<u8>,
    bytes: Vec<u8>,
    head: ClipHead,
    started: bool,
    begun: bool,
    padded: bool,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(sink: &'a mut dyn ClipSink) -> Self {
        let (text, bytes, head) = (Vec::new(), Vec::new(), ClipHead::default());
        Decoder { sink, text, bytes, head, started: false, begun: false, padded: false }
    }

    /// Decodes the next piece of text.
    pub(super) fn push(&mut self, mut chunk: &[u8]) -> Result<(), Broken> {
        if !self.started {
            chunk = self.strip_prefix(chunk);
            self.started = !chunk.is_empty();
        }
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        if !self.padded && chunk.iter().all(plain) {
            self.text.extend_from_slice(chunk);
        } else {
            self.filter(chunk)?;
        }
        let whole = self.text.len() / 4 * 4;
        self.decode(whole)
    }

    /// Decodes what is left. Returns whether there was a clip at all.
    pub(super) fn finish(mut self) -> Result<bool, Broken> {
        self.decode(self.text.len())?;
        if self.begun {
            self.sink.end().map_err(Broken::Disk)?;
        }
        Ok(self.begun)
    }

    /// `data:video/mp4;base64,` and what it says of the content.
    fn strip_prefix<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let chunk = chunk.trim_ascii_start();
        let Some(rest) = chunk.strip_prefix(b"data:") else { return chunk };
        let Some(comma) = rest.iter().take(PREFIX_MAX).position(|b| *b == b',') else { return chunk };
        let kind = rest[..comma].split(|b| *b == b';').next().unwrap_or_default();
        self.head.content_type = Some(clean(&String::from_utf8_lossy(kind), 80)).filter(|kind| !kind.is_empty());
        &rest[comma + 1..]
    }

    fn filter(&mut self, chunk: &[u8]) -> Result<(), Broken> {
        for byte in chunk {
            match byte {
                b if b.is_ascii_whitespace() => {}
                b'=' => self.padded = true,
                _ if self.padded => return Err(Broken::Shape("the clip goes on after its base64 ended".to_owned())),
                b'-' => self.text.push(b'+'),
                b'_' => self.text.push(b'/'),
                other => self.text.push(*other),
            }
        }
        Ok(())
    }

    fn decode(&mut self, length: usize) -> Result<(), Broken> {
        if length == 0 {
            return Ok(());
        }
        self.bytes.clear();
        ENGINE
            .decode_vec(&self.text[..length], &mut self.bytes)
            .map_err(|_| Broken::Shape("the clip is not base64".to_owned()))?;
        self.text.drain(..length);
        if !self.begun {
            self.sink.begin(&self.head).map_err(Broken::Disk)?;
            self.begun = true;
        }
        self.sink.write(&self.bytes).map_err(Broken::Disk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sink::MemorySink;

    /// Content type, bytes and whether it ended, of each clip.
    type Clips = Vec<(Option<String>, Vec<u8>, bool)>;

    fn decode(text: &[u8], pieces: usize) -> Result<Clips, Broken> {
        let mut sink = MemorySink::default();
        let mut decoder = Decoder::new(&mut sink);
        for piece in text.chunks(pieces) {
            decoder.push(piece)?;
        }
        decoder.finish()?;
        Ok(sink.clips.into_iter().map(|(head, bytes, whole)| (head.content_type, bytes, whole)).collect())
    }

    #[test]
    fn whatever_does_not_matter_is_forgiven_however_it_is_cut_up() {
        let expected = [0xfb_u8, 0xef, 0xff, b'x', b'y'];
        for text in ["++//eHk=", "++//eHk", "++//\r\n eHk=\n", "--__eHk", " ++//eHk=="] {
            for pieces in 1..=text.len() {
                let clips = decode(text.as_bytes(), pieces).unwrap();
                assert_eq!(clips, [(None, expected.to_vec(), true)], "{text} by {pieces}");
            }
        }
        let clips = decode(b"data:video/mp4;base64,++//eHk=", 64).unwrap();
        assert_eq!(clips, [(Some("video/mp4".to_owned()), expected.to_vec(), true)]);
        for empty in ["", "  ", "=", "data:video/mp4;base64,"] {
            assert_eq!(decode(empty.as_bytes(), 64).unwrap(), [], "{empty:?} is no clip");
        }
    }

    #[test]
    fn what_is_no_base64_is_said_so() {
        for text in ["++//e", "++*/", "++//eHk=eHk=", "<html>"] {
            assert!(matches!(decode(text.as_bytes(), 64), Err(Broken::Shape(_))), "{text}");
        }
    }
}
