//! JSONL: one JSON object a line.
//!
//! Knows lines and their limits. Must not know what a field means.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufRead, Read};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Fields;
use crate::domain::Problem;

/// Longest line, bytes.
const LONGEST: u64 = 1 << 20;

/// A line as long as this is no line but a stream that never ends, bytes.
const ENDLESS: usize = 16 << 20;

/// Reads rows; each is handed to `take` with its line.
pub(super) fn read(mut input: impl BufRead, take: &mut dyn FnMut(u64, Result<Fields, Problem>)) -> io::Result<()> {
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        number += 1;
        if (&mut input).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.len() as u64 == LONGEST && line.last() != Some(&b'\n') {
            skip_line(&mut input, number)?;
            take(number, Err(Problem::new("row", "max_bytes", "is longer than 1 MiB")));
            continue;
        }
        let mut bytes = line.as_slice();
        if number == 1 {
            bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        }
        if !bytes.trim_ascii().is_empty() {
            take(number, row(bytes));
        }
    }
}

fn skip_line(input: &mut impl BufRead, number: u64) -> io::Result<()> {
    let mut skipped = 0;
    loop {
        let buffer = input.fill_buf()?;
        let (used, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if ended {
            return Ok(());
        }
        skipped += used;
        if skipped > ENDLESS {
            return Err(io::Error::other(format!("line {number} is longer than 16 MiB; what follows is not read")));
        }
    }
}

/// A reader of lines that end: more than the longest without an end is an error.
pub(super) struct Limited<R> {
    input: R,
    number: u64,
    bytes: u64,
}

impl<R: Read> Limited<R> {
    pub(super) fn new(input: R) -> Self {
        Limited { input, number: 1, bytes: 0 }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        for byte in &buffer[..n] {
            self.bytes += 1;
            if *byte == b'\n' {
                (self.number, self.bytes) = (self.number + 1, 0);
            } else if self.bytes > LONGEST {
                return Err(io::Error::other(format!("line {} is longer than 1 MiB; make it shorter", self.number)));
            }
        }
        Ok(n)
    }
}

fn row(bytes: &[u8]) -> Result<Fields, Problem> {
    match serde_json::from_slice::<Row>(bytes) {
        Ok(Row(fields)) => Ok(fields),
        Err(error) => {
            let text = error.to_string();
            let why = text.split(" at line ").next().unwrap_or(&text);
            let message = format!("is no JSON object at column {}: {why}", error.column().max(1));
            Err(Problem::new("row", "json", message))
        }
    }
}

/// An object whose fields keep their order, and whose names are there once.
struct Row(Fields);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Row;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object such as {\"model\":\"ninjachat/veo-3.1\",\"prompt\":\"...\"}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut fields = Fields::new();
                let mut seen = HashSet::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if !seen.insert(name.clone()) {
                        return Err(serde::de::Error::custom(format!("`{name}` is there twice")));
                    }
                    fields.push((name, value));
                }
                Ok(Row(fields))
            }
        }
        d.deserialize_map(Each)
    }
}
