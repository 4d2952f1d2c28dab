//! Names: a template and a job become a file name that is safe everywhere and says what is in it.
//!
//! Knows what a file name may hold. Must not know which names are taken.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::Job;
use crate::domain::text::{is_hidden, plain};

/// The template where the user gives none.
pub const DEFAULT_TEMPLATE: &str = "{date}-{id}-{model}-{prompt}";

/// Longest stem in bytes; it leaves room for ` (2)`, `.mp4.json.part` and the like below the 255
/// that file systems allow.
const LONGEST: usize = 200;

/// Longest value of one field in bytes, where the template gives no length of its own.
const LONGEST_FIELD: usize = 60;

/// The fields a template may name, each with what it stands for.
pub const FIELDS: [(&str, &str); 13] = [
    ("date", "the day it was queued, 2026-11-20"),
    ("time", "the time it was queued, 101530"),
    ("account", "the account"),
    ("model", "the model's id"),
    ("prompt", "the prompt's first words"),
    ("id", "the job, j-12"),
    ("n", "which of the job's files, from 1"),
    ("tag", "the first tag"),
    ("batch", "the batch's number"),
    ("key", "the batch row's key"),
    ("duration", "the seconds asked for"),
    ("aspect_ratio", "the shape asked for, 16x9"),
    ("resolution", "the resolution asked for"),
];

/// A checked name template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field { name: &'static str, longest: usize },
}

impl Default for Template {
    fn default() -> Self {
        Template::parse(DEFAULT_TEMPLATE).expect("the default template is legal")
    }
}

impl Template {
    /// Reads a template: text with `{field}`s, or `{field:20}` for at most 20 bytes of it.
    ///
    /// # Errors
    /// A sentence that names what is wrong, and the fields there are.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, field) = rest.split_at(open);
            pieces.push(Piece::Text(before.to_owned()));
            let (inside, after) = field
                .strip_prefix('{')
                .and_then(|field| field.split_once('}'))
                .ok_or_else(|| format!("the name template `{text}` has a brace without its partner"))?;
            let (name, longest) = match inside.split_once(':') {
                Some((name, longest)) => (name, longest.parse().ok().filter(|n| (1..=LONGEST).contains(n))),
                None => (inside, Some(LONGEST_FIELD)),
            };
            let longest = longest
                .ok_or_else(|| format!("`{{{inside}}}` in the name template: write a length of 1 to {LONGEST}"))?;
            let known = FIELDS.iter().find(|(field, _)| *field == name);
            let (name, _) = known.ok_or_else(|| {
                let fields: Vec<_> = FIELDS.iter().map(|(name, _)| format!("{{{name}}}")).collect();
                format!("the name template knows no `{{{name}}}`; it knows {}", fields.join(" "))
            })?;
            pieces.push(Piece::Field { name, longest });
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        if pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains(['/', '\\']))) {
            return Err(format!("the name template `{text}` holds a slash; directories are for --output-dir"));
        }
        if pieces.is_empty() {
            return Err("the name template is empty".to_owned());
        }
        Ok(Template { pieces })
    }

    /// The file name, without extension, of a job's `ordinal`-th file, from 1. The second and later
    /// ones differ from the first even where the template does not name `{n}`.
    pub fn stem(&self, job: &Job, ordinal: u32, zone: &TimeZone) -> String {
        let mut raw = String::new();
        let mut is_numbered = ordinal == 1;
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => raw.push_str(text),
                Piece::Field { name, longest } => {
                    is_numbered |= *name == "n";
                    raw.push_str(cut(&safe(&value(name, job, ordinal, zone)), *longest));
                }
            }
        }
        let suffix = if is_numbered { String::new() } else { format!("-{ordinal}") };
        let stem = safe(&raw);
        let stem = cut(&stem, LONGEST - suffix.len()).trim_end_matches(['.', ' ', '-']);
        let stem = if stem.is_empty() { format!("clip-{}", job.id) } else { stem.to_owned() };
        let stem = if is_reserved(&stem) { format!("_{stem}") } else { stem };
        stem + &suffix
    }
}

/// Where a job's parts lie while they are written: beside its clips, under a name no other job has,
/// in this data directory or another.
pub fn part_base(dir: &Path, stem: &str, job: &Job) -> PathBuf {
    let mark: String = job.correlation.chars().filter(char::is_ascii_alphanumeric).collect();
    let mark = &mark[mark.len().saturating_sub(12)..];
    dir.join(format!("{stem}.{}{}{mark}", job.id, if mark.is_empty() { "" } else { "-" }))
}

fn value(field: &str, job: &Job, ordinal: u32, zone: &TimeZone) -> String {
    let queued = || job.created_at.to_zoned(zone.clone());
    let param = |name: &str| job.values.get(name).map(plain).unwrap_or_default();
    match field {
        "date" => queued().strftime("%Y-%m-%d").to_string(),
        "time" => queued().strftime("%H%M%S").to_string(),
        "account" => job.request.account.clone(),
        "model" => job.request.model.clone(),
        "prompt" => job.request.prompt.chars().take(LONGEST).collect(),
        "id" => job.id.to_string(),
        "n" => ordinal.to_string(),
        "tag" => job.request.tags.first().cloned().unwrap_or_default(),
        "batch" => job.batch.map(|batch| batch.to_string()).unwrap_or_default(),
        "key" => job.key.clone().unwrap_or_default(),
        "aspect_ratio" => param(field).replace(':', "x"),
        _ => param(field),
    }
}

/// `text` as a safe part of a file name: what a shell, another system or a terminal could take for
/// something else becomes one dash; a name neither starts nor ends with a dash, a dot or a blank.
fn safe(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let is_kept = if c.is_ascii() { c.is_ascii_alphanumeric() || "._+=@,".contains(c) } else { is_shown(c) };
        if is_kept {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches(['-', '.', ' ']).to_owned()
}

/// Whether a character beyond ASCII shows something: no blank, no control, none that only changes
/// how others look.
fn is_shown(c: char) -> bool {
    !c.is_whitespace() && !is_hidden(c) && !matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{E000}'..='\u{F8FF}')
}

/// At most `longest` bytes of `text`, cut between what people take for characters.
fn cut(text: &str, longest: usize) -> &str {
    if text.len() <= longest {
        return text;
    }
    let ends = text.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len());
    let end = ends.take_while(|end| *end <= longest).last().unwrap_or(0);
    text[..end].trim_end_matches(['-', '.', ' '])
}

/// Names that Windows keeps for devices, which matters on a shared or copied disk.
fn is_reserved(stem: &str) -> bool {
    let first = stem.split('.').next().unwrap_or(stem).to_ascii_uppercase();
    matches!(first.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || ["COM", "LPT"].iter().any(|device| {
            first.strip_prefix(device).is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JobId, Request};
    use proptest::prelude::*;
    use serde_json::json;

    fn job(model: &str, prompt: &str) -> Job {
        let request = Request::new(&model.parse().unwrap(), prompt);
        let mut job = Job::new(JobId(12), request, "2026-11-20T23:30:05Z".parse().unwrap());
        job.values = serde_json::from_value(json!({"duration": 8, "aspect_ratio": "16:9"})).unwrap();
        job
    }

    fn stem(template: &str, job: &Job, ordinal: u32) -> String {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        Template::parse(template).unwrap().stem(job, ordinal, &zone)
    }

    #[test]
    fn names_say_what_is_in_them_in_the_users_time() {
        let job = job("a4f/provider-2/kling-v2.1", "A neon  street\n& rain, \"slow\"…");
        assert_eq!(stem(DEFAULT_TEMPLATE, &job, 1), "2026-11-21-j-12-provider-2-kling-v2.1-A-neon-street-rain,-slow-…");
        assert_eq!(stem("{account}_{duration}s_{aspect_ratio}", &job, 1), "a4f_8s_16x9");
        assert_eq!(stem("{prompt:6} {id}", &job, 1), "A-neon-j-12");
        assert_eq!((stem("{id}", &job, 2), stem("{id}_{n}", &job, 2)), ("j-12-2".into(), "j-12_2".into()));
        assert_eq!(stem("{tag}-{batch}{resolution}", &job, 3), "clip-j-12-3", "nothing known");
    }

    #[test]
    fn hostile_words_become_harmless_ones() {
        for (prompt, expected) in [
            ("../../etc/passwd", "etc-passwd"),
            (".hidden", "hidden"),
            ("a\x1b[31m\u{202E}b\0c\u{7f}d", "a-31m-b-c-d"),
            ("-rf $(x) `y` | z;", "rf-x-y-z"),
            ("con", "_con"),
            ("Com1.x", "_Com1.x"),
            ("größe 犬 नमस्ते", "größe-犬-नमस्ते"),
            ("...", "clip-j-12"),
        ] {
            assert_eq!(stem("{prompt}", &job("a/b", prompt), 1), expected, "{prompt:?}");
        }
    }

    #[test]
    fn a_cut_name_ends_between_characters() {
        let flags = "🇩🇪".repeat(20);
        assert_eq!(stem("{prompt:60}", &job("a/b", &flags), 1), "🇩🇪".repeat(7));
        let accents = "e\u{301}".repeat(90);
        assert_eq!(stem("{prompt:200}", &job("a/b", &accents), 1), "e\u{301}".repeat(66));
    }

    #[test]
    fn a_wrong_template_is_refused_with_what_would_be_right() {
        let wrong = Template::parse("{date}-{modell}").unwrap_err();
        assert!(wrong.contains("{modell}") && wrong.contains("{model}") && wrong.contains("{aspect_ratio}"), "{wrong}");
        for wrong in ["{date", "date}", "{date}/{id}", "", "{prompt:0}", "{prompt:x}", "{}"] {
            assert!(Template::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn parts_of_two_data_directories_do_not_meet() {
        let (mut one, mut two) = (job("a/b", "x"), job("a/b", "x"));
        one.correlation = "0195c1d2-0000-7000-8000-0123456789ab".into();
        two.correlation = "0195c1d2-0000-7000-8000-ba9876543210".into();
        let base = |job: &Job| part_base(Path::new("/o"), "x", job);
        assert_eq!(base(&one), Path::new("/o/x.j-12-0123456789ab"));
        assert_ne!(base(&one), base(&two));
    }

    proptest! {
        #[test]
        fn every_name_is_one_safe_component(prompt in any::<String>(), model in "[^/]{1,300}", ordinal in 1u32..9) {
            let mut job = job("a/b", &prompt);
            job.request.model = model;
            let name = stem("{model:200}{prompt:200}.{prompt}", &job, ordinal);
            prop_assert!(!name.is_empty() && name.len() <= 201);
            prop_assert!(!name.starts_with(['.', '-']) && !name.ends_with(['.', ' ']));
            let is_clean = !name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|']) && !name.chars().any(char::is_control);
            prop_assert!(is_clean);
        }
    }
}
