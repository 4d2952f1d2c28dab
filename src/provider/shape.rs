//! Small readings that several wires share: ids, links, percentages.
//!
//! Knows JSON values and what is safe to keep of them. Must not know any service.

use serde_json::Value;
use url::Url;

use crate::domain::rule::number;
use crate::domain::text::{is_hidden, plain};

/// Longest id that is kept, in characters.
const ID_MAX: usize = 512;
/// Longest link that is kept, in characters; presigned ones run to some thousand.
const LINK_MAX: usize = 8192;

/// A service's id, verbatim; `None` where it is empty, too long or holds control characters.
pub(super) fn remote_id(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!id.is_empty() && id.chars().count() <= ID_MAX && !id.chars().any(is_hidden)).then_some(id)
}

/// A clip's link, made absolute: what starts at the root is meant below the account's own path
/// prefix, unless it has that already (wire.md 1.4: links may be relative).
pub(super) fn absolute_link(link: &str, origin: &Url) -> Option<String> {
    let link = link.trim();
    if link.is_empty() || link.chars().count() > LINK_MAX || link.chars().any(is_hidden) {
        return None;
    }
    let prefix = origin.path().trim_end_matches('/');
    let url = match link.strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => {
            let rooted = link == prefix || link.starts_with(&format!("{prefix}/"));
            let path = if rooted { link.to_owned() } else { format!("{prefix}{link}") };
            origin.join(&path).ok()?
        }
        _ => origin.join(link).ok()?,
    };
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

/// A progress in percent, cut to 0-100: a number, or text such as `45%`.
pub(super) fn percent(value: &Value) -> Option<u8> {
    let bare = Value::String(plain(value).trim().trim_end_matches('%').to_owned());
    let whole = number(&bare)?.trunc().to_string();
    let whole: i64 = whole.parse().ok()?;
    u8::try_from(whole.clamp(0, 100)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn links_are_made_absolute_below_the_accounts_own_prefix() {
        let absolute = |link, origin| absolute_link(link, &Url::parse(origin).unwrap());
        for (link, origin, expected) in [
            ("https://cdn.x/a.mp4?s=1", "https://nano-gpt.com", "https://cdn.x/a.mp4?s=1"),
            ("/api/c?runId=1", "https://nano-gpt.com", "https://nano-gpt.com/api/c?runId=1"),
            ("/api/c?runId=1", "http://127.0.0.1:9/nanogpt", "http://127.0.0.1:9/nanogpt/api/c?runId=1"),
            ("/nanogpt/api/c", "http://127.0.0.1:9/nanogpt", "http://127.0.0.1:9/nanogpt/api/c"),
            ("//cdn.x/a.mp4", "https://nano-gpt.com", "https://cdn.x/a.mp4"),
        ] {
            assert_eq!(absolute(link, origin).as_deref(), Some(expected), "{link} at {origin}");
        }
        for bad in ["", "javascript:alert(1)", "file:///etc/passwd", "data:video/mp4;base64,AA"] {
            assert_eq!(absolute(bad, "https://nano-gpt.com"), None, "{bad}");
        }
    }

    #[test]
    fn percentages_and_ids_are_read_with_care() {
        let read = |value: Value| percent(&value);
        assert_eq!(read(json!(45)), Some(45));
        assert_eq!(read(json!(45.9)), Some(45));
        assert_eq!(read(json!("45%")), Some(45));
        assert_eq!(read(json!(900)), Some(100));
        assert_eq!(read(json!(-3)), Some(0));
        assert_eq!(read(json!("soon")), None);
        assert_eq!(remote_id(&json!("gemini-veo:operations/x")).as_deref(), Some("gemini-veo:operations/x"));
        assert_eq!(remote_id(&json!("a\u{1b}[2J")), None);
        assert_eq!(remote_id(&json!("")), None);
        assert_eq!(remote_id(&json!("x".repeat(600))), None);
    }
}
