//! CSV: the names of a row's fields stand in the header.
//!
//! Knows cells. Must not know what a field means; a blank cell is a field that is not there.

use std::io::{self, Read};

use serde_json::Value;

use super::Fields;
use crate::domain::Problem;

/// Reads rows; each is handed to `take` with the line it starts on.
pub(super) fn read(input: impl Read, take: &mut dyn FnMut(u64, Result<Fields, Problem>)) -> io::Result<()> {
    let mut reader = ::csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(input);
    let mut record = ::csv::ByteRecord::new();
    let mut header: Option<Vec<String>> = None;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                return match error.into_kind() {
                    ::csv::ErrorKind::Io(error) => Err(error),
                    other => Err(io::Error::new(io::ErrorKind::InvalidData, format!("{other:?}"))),
                };
            }
        }
        // The reader counts to the start of the record's text; blank lines before it are passed over.
        let line = record.position().map_or(1, ::csv::Position::line);
        match &header {
            None => match names(&record) {
                Ok(names) => header = Some(names),
                Err(problem) => {
                    take(line, Err(problem));
                    return Ok(());
                }
            },
            Some(names) => take(line, cells(names, &record)),
        }
    }
}

fn names(record: &::csv::ByteRecord) -> Result<Vec<String>, Problem> {
    let mut names = Vec::new();
    for (i, cell) in record.iter().enumerate() {
        let cell = if i == 0 { cell.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(cell) } else { cell };
        let name = std::str::from_utf8(cell).unwrap_or_default().trim().to_owned();
        if name.is_empty() {
            return Err(Problem::new("header", "csv", format!("column {} has no name", i + 1)));
        }
        if names.contains(&name) {
            return Err(Problem::new("header", "csv", format!("`{name}` is there twice")));
        }
        names.push(name);
    }
    if !names.iter().any(|name| name == "model") {
        let given = names.join(", ");
        let message = format!("has no column `model`; the first line names the fields, and this one names {given}");
        return Err(Problem::new("header", "csv", message));
    }
    Ok(names)
}

fn cells(names: &[String], record: &::csv::ByteRecord) -> Result<Fields, Problem> {
    if record.len() != names.len() {
        let message = format!("has {} cells; the header has {}", record.len(), names.len());
        return Err(Problem::new("row", "csv", message));
    }
    let mut fields = Fields::new();
    for (name, cell) in names.iter().zip(record.iter()) {
        let text = std::str::from_utf8(cell)
            .map_err(|_| Problem::new(name, "utf8", "is not UTF-8; save the file as UTF-8"))?;
        if text.trim().is_empty() {
            continue;
        }
        let value = match name.as_str() {
            "tags" if !text.trim_start().starts_with('[') => {
                text.split([';', ',']).map(|tag| Value::String(tag.trim().to_owned())).collect()
            }
            "tags" => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
            _ => Value::String(text.to_owned()),
        };
        fields.push((name.clone(), value));
    }
    Ok(fields)
}
