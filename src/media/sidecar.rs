//! The recipe beside a clip: the whole job as JSON, and which file it is about.
//!
//! Knows [`crate::domain::record`]. Must not know where it is written.

use serde_json::Value;

use crate::domain::{ClipFile, Job};

/// What stands in `<name>.json`: the job's record, with `file` and `sha256` those of this clip, and
/// the state it has once it is published.
pub fn recipe(job: &Job, clip: &ClipFile) -> Value {
    let mut record = job.record();
    if let Value::Object(fields) = &mut record {
        fields.insert("file".to_owned(), Value::String(clip.path.clone()));
        fields.insert("sha256".to_owned(), Value::String(clip.sha256.clone()));
        fields.insert("bytes".to_owned(), clip.bytes.into());
        fields.insert("correlation".to_owned(), Value::String(job.correlation.clone()));
        if !job.files.contains(clip) {
            let file = serde_json::to_value(clip).unwrap_or(Value::Null);
            if let Some(Value::Array(files)) = fields.get_mut("files") {
                files.push(file);
            }
        }
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{FileKind, JobId, Request};
    use jiff::Timestamp;

    #[test]
    fn the_recipe_names_its_own_clip_and_says_when_it_is_simulated() {
        let file = |name: &str| ClipFile {
            path: format!("/o/{name}"),
            bytes: 9,
            sha256: name.repeat(2),
            kind: FileKind::Video,
            width: None,
            height: None,
            duration_ms: None,
        };
        let mut job = Job::new(JobId(3), Request::new(&"n/m".parse().unwrap(), "a fox"), Timestamp::UNIX_EPOCH);
        job.simulated = true;
        job.files = vec![file("a"), file("b")];
        let recipe = recipe(&job, &file("b"));
        assert_eq!((recipe["file"].as_str(), recipe["sha256"].as_str()), (Some("/o/b"), Some("bb")));
        assert_eq!((recipe["files"].as_array().unwrap().len(), &recipe["simulated"]), (2, &Value::Bool(true)));
        assert_eq!(super::recipe(&job, &file("c"))["files"].as_array().unwrap().len(), 3);
    }
}
