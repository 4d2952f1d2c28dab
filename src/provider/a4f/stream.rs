//! The answer that holds the clip as base64 inside JSON, read as it arrives.
//!
//! Knows `{created, data: [{b64_json, url, revised_prompt}]}` and the error envelope in its place
//! (wire.md 3.3, 3.4). Memory stays the same whatever the clip's length. Must not know what the
//! outcome means.

use std::cell::Cell;
use std::io::{self, Read as _};
use std::rc::Rc;

use bytes::{Buf, Bytes};
use serde_json::{Map, Value};
use struson::reader::{JsonReader, JsonStreamReader, JsonSyntaxError, ReaderError, SyntaxErrorKind, ValueType};
use tokio::sync::mpsc;

use crate::domain::sink::ClipSink;
use crate::domain::text::clean;

use super::super::answer::root_cause;
use super::base64::Decoder;

/// Longest piece of the answer besides a clip: a name, a message, a prompt, in bytes.
const PIECE_MAX: usize = 1 << 20;
/// Longest value that is skipped, in bytes.
const SKIP_MAX: usize = 16 << 20;
/// Text of a clip handled at once, in bytes.
const CHUNK: usize = 64 << 10;
/// Text asked for at once, in bytes: what the parser holds of it is lost when the answer is cut.
const STEP: usize = 1 << 10;
/// Most clips or links taken from one answer.
const ITEMS_MAX: usize = 16;

/// What was found in an answer.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Clips that went to the sink whole.
    pub(super) clips: usize,
    /// Links in the place of clips.
    pub(super) links: Vec<String>,
    /// The prompt as it was rewritten.
    pub(super) revised_prompt: Option<String>,
    /// `error` and what may stand beside it.
    pub(super) rest: Map<String, Value>,
    /// Why reading ended before the answer did.
    pub(super) broken: Option<Broken>,
}

/// Why reading ended early.
#[derive(Debug)]
pub(super) enum Broken {
    /// The sink could not take it.
    Disk(io::Error),
    /// The connection or the text ended too soon.
    Cut(String),
    /// It is not what is documented.
    Shape(String),
}

/// Reads an answer to its end, clips going to `sink`. Decoding runs beside the connection.
pub(super) async fn receive(mut response: reqwest::Response, mut sink: Box<dyn ClipSink>) -> Read {
    let (sender, chunks) = mpsc::channel(4);
    let decoding = tokio::task::spawn_blocking(move || {
        let dry = Rc::new(Cell::new(false));
        let input = Chunks { chunks, current: Bytes::new(), dry: dry.clone() };
        read(input, dry, sink.as_mut())
    });
    loop {
        let next = match response.chunk().await {
            Ok(Some(chunk)) => Ok(chunk),
            Ok(None) => break,
            Err(error) => Err(root_cause(&error)),
        };
        let last = next.is_err();
        if sender.send(next).await.is_err() || last {
            break;
        }
    }
    drop(sender);
    decoding.await.unwrap_or_else(|_| Read {
        broken: Some(Broken::Shape("decoding it failed inside rushes".to_owned())),
        ..Read::default()
    })
}

/// The answer's bytes as they come over the channel.
struct Chunks {
    chunks: mpsc::Receiver<Result<Bytes, String>>,
    current: Bytes,
    /// Whether all that came so far was handed out.
    dry: Rc<Cell<bool>>,
}

impl io::Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.chunks.blocking_recv() {
                Some(Ok(chunk)) => self.current = chunk,
                Some(Err(why)) => return Err(io::Error::other(why)),
                None => return Ok(0),
            }
        }
        let n = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..n]);
        self.dry.set(self.current.is_empty() && self.chunks.is_empty());
        Ok(n)
    }
}

/// Reads from `input` until the answer ends or breaks. While it is `dry`, nothing more has come yet, and
/// what did is not held back.
fn read(input: impl io::Read, dry: Rc<Cell<bool>>, sink: &mut dyn ClipSink) -> Read {
    let budget = Rc::new(Cell::new(PIECE_MAX));
    let json = JsonStreamReader::new(Metered { input, budget: budget.clone() });
    let mut reading = Reading { json, budget, dry, sink, found: Read::default() };
    if let Err(broken) = reading.whole() {
        reading.found.broken = Some(broken);
    }
    reading.found
}

/// Lets at most a budget through, so that no single piece of hostile JSON fills the memory.
struct Metered<R> {
    input: R,
    budget: Rc<Cell<usize>>,
}

impl<R: io::Read> io::Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(self.budget.get());
        if room == 0 {
            return Err(io::Error::other("a part of it is too long"));
        }
        let n = self.input.read(&mut buffer[..room])?;
        self.budget.set(self.budget.get() - n);
        Ok(n)
    }
}

struct Reading<'a, R: io::Read> {
    json: JsonStreamReader<Metered<R>>,
    budget: Rc<Cell<usize>>,
    dry: Rc<Cell<bool>>,
    sink: &'a mut dyn ClipSink,
    found: Read,
}

impl<R: io::Read> Reading<'_, R> {
    fn whole(&mut self) -> Result<(), Broken> {
        self.json.begin_object()?;
        while self.more()? {
            let name = self.json.next_name_owned()?;
            self.budget.set(PIECE_MAX);
            match name.as_str() {
                "data" => self.data()?,
                "error" | "message" | "code" | "type" | "status" => {
                    let value = self.value()?;
                    if !value.is_null() {
                        self.found.rest.insert(name, value);
                    }
                }
                _ => self.skip()?,
            }
        }
        Ok(self.json.end_object()?)
    }

    fn more(&mut self) -> Result<bool, Broken> {
        self.budget.set(PIECE_MAX);
        Ok(self.json.has_next()?)
    }

    fn skip(&mut self) -> Result<(), Broken> {
        self.budget.set(SKIP_MAX);
        Ok(self.json.skip_value()?)
    }

    /// One item, or a list of them.
    fn data(&mut self) -> Result<(), Broken> {
        match self.json.peek()? {
            ValueType::Object => self.item(),
            ValueType::Array => {
                self.json.begin_array()?;
                while self.more()? {
                    match self.json.peek()? {
                        ValueType::Object if self.found.clips + self.found.links.len() < ITEMS_MAX => self.item()?,
                        _ => self.skip()?,
                    }
                }
                Ok(self.json.end_array()?)
            }
            _ => self.skip(),
        }
    }

    fn item(&mut self) -> Result<(), Broken> {
        let (before, mut link) = (self.found.clips, None);
        self.json.begin_object()?;
        while self.more()? {
            let name = self.json.next_name_owned()?;
            self.budget.set(PIECE_MAX);
            let text = self.json.peek()? == ValueType::String;
            match name.as_str() {
                // One item is one clip, whichever way it came first.
                "b64_json" | "url" if text && self.found.clips > before => self.skip()?,
                "b64_json" if text => self.clip()?,
                "url" if text => link = self.link()?,
                "revised_prompt" if text => self.found.revised_prompt = Some(clean(&self.json.next_string()?, 8_000)),
                _ => self.skip()?,
            }
        }
        // Where both came, the bytes count (wire.md 3.3).
        if self.found.clips == before {
            self.found.links.extend(link);
        }
        Ok(self.json.end_object()?)
    }

    fn clip(&mut self) -> Result<(), Broken> {
        let mut text = self.json.next_string_reader()?;
        let whole = decode(&mut text, &[], (&self.budget, &self.dry), self.sink)?;
        self.found.clips += usize::from(whole);
        Ok(())
    }

    /// A link; a clip where the link holds it (`data:`).
    fn link(&mut self) -> Result<Option<String>, Broken> {
        let mut text = self.json.next_string_reader()?;
        let mut start = Vec::new();
        text.by_ref().take(5).read_to_end(&mut start).map_err(|error| cut(&error))?;
        if start == b"data:" {
            let whole = decode(&mut text, &start, (&self.budget, &self.dry), self.sink)?;
            self.found.clips += usize::from(whole);
            return Ok(None);
        }
        text.read_to_end(&mut start).map_err(|error| cut(&error))?;
        let link = String::from_utf8(start).map_err(|_| Broken::Shape("its link is no text".to_owned()))?;
        Ok(Some(link))
    }

    /// A small value, whole.
    fn value(&mut self) -> Result<Value, Broken> {
        Ok(match self.json.peek()? {
            ValueType::String => Value::String(self.json.next_string()?),
            ValueType::Number => {
                let digits = self.json.next_number_as_string()?;
                digits.parse().map_or(Value::String(digits), Value::Number)
            }
            ValueType::Boolean => Value::Bool(self.json.next_bool()?),
            ValueType::Null => {
                self.json.next_null()?;
                Value::Null
            }
            ValueType::Object => {
                let mut fields = Map::new();
                self.json.begin_object()?;
                while self.json.has_next()? {
                    let name = self.json.next_name_owned()?;
                    let value = self.value()?;
                    fields.insert(name, value);
                }
                self.json.end_object()?;
                Value::Object(fields)
            }
            ValueType::Array => {
                let mut items = Vec::new();
                self.json.begin_array()?;
                while self.json.has_next()? {
                    items.push(self.value()?);
                }
                self.json.end_array()?;
                Value::Array(items)
            }
        })
    }
}

impl From<ReaderError> for Broken {
    fn from(error: ReaderError) -> Self {
        match error {
            ReaderError::IoError { error, .. } => Broken::Cut(clean(cause(&error.to_string()), 160)),
            ReaderError::SyntaxError(JsonSyntaxError { kind: SyntaxErrorKind::IncompleteDocument, .. }) => {
                Broken::Cut("it ended too soon".to_owned())
            }
            ReaderError::SyntaxError(_) => Broken::Shape("it is not JSON".to_owned()),
            _ => Broken::Shape("it is not the documented JSON".to_owned()),
        }
    }
}

/// Decodes a clip's text, of which `start` was read already; whether there was a clip at all.
fn decode(
    text: &mut impl io::Read,
    start: &[u8],
    (budget, dry): (&Cell<usize>, &Cell<bool>),
    sink: &mut dyn ClipSink,
) -> Result<bool, Broken> {
    let mut decoder = Decoder::new(sink);
    let mut buffer = vec![0; CHUNK];
    buffer[..start.len()].copy_from_slice(start);
    let (mut filled, mut begun) = (start.len(), false);
    loop {
        while filled < buffer.len() {
            budget.set(PIECE_MAX);
            let step = STEP.min(buffer.len() - filled);
            match text.read(&mut buffer[filled..filled + step]) {
                Ok(0) => {
                    decoder.push(&buffer[..filled])?;
                    return decoder.finish();
                }
                Ok(n) => {
                    filled += n;
                    // Its beginning is not cut small: a prefix may stand there.
                    if dry.get() && (begun || filled >= STEP) {
                        break;
                    }
                }
                Err(error) => {
                    // What came is kept: it was paid for.
                    decoder.push(&buffer[..filled])?;
                    return Err(cut(&error));
                }
            }
        }
        decoder.push(&buffer[..filled])?;
        (filled, begun) = (0, true);
    }
}

/// An error while reading a clip's text; the connection's own cause stands inside.
fn cut(error: &io::Error) -> Broken {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<ReaderError>()) {
        Some(ReaderError::IoError { error, .. }) => Broken::Cut(clean(&error.to_string(), 160)),
        Some(ReaderError::SyntaxError(JsonSyntaxError { kind: SyntaxErrorKind::IncompleteDocument, .. })) => {
            Broken::Cut("it ended too soon".to_owned())
        }
        Some(_) => Broken::Shape("the clip's text is not JSON".to_owned()),
        None => Broken::Cut(clean(cause(&error.to_string()), 160)),
    }
}

/// The cause alone, where the JSON reader wrapped it into a sentence of its own with a place nobody can look at.
fn cause(text: &str) -> &str {
    let inner = text.strip_prefix("IO error '").and_then(|rest| rest.rsplit_once("' at ")).map(|(inner, _)| inner);
    inner.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::cause;

    #[test]
    fn a_cause_is_told_without_the_readers_own_words() {
        let wrapped =
            "IO error 'connection reset' at (roughly) path '$.data[0].b64_json', line 0, column 512 (data pos 512)";
        assert_eq!((cause(wrapped), cause("it ended too soon")), ("connection reset", "it ended too soon"));
    }
}
