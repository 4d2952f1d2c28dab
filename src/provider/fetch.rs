//! Downloads of finished clips: whole or from where the last one broke off.
//!
//! Knows ranges, validators and what is no clip. Must not know any service, nor files.

use reqwest::Response;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE,
};
use url::Url;

use crate::domain::ErrorKind;
use crate::domain::sink::{ClipHead, ClipSink};
use crate::domain::text::clean;

use super::address::same_origin;
use super::answer::{Answer, JSON_MAX, retry_after, transport};
use super::error::{Row, free};
use super::http::Wire;
use super::{FetchError, Resume, ServiceError};

/// Largest clip that is taken, in bytes.
const CLIP_MAX: u64 = 8 << 30;
/// Bytes looked at before a clip counts as one.
const SNIFFED: usize = 512;

/// Downloads `link` into `sink`. The key goes along only where the link is on `origin` itself.
pub(super) async fn fetch(
    wire: &Wire,
    table: &[Row],
    origin: &Url,
    link: &str,
    resume: Option<&Resume>,
    sink: &mut dyn ClipSink,
) -> Result<(), FetchError> {
    let url = Url::parse(link).map_err(|e| protocol(wire, &format!("the clip's link is no URL ({e})")))?;
    // Without a strong validator the second half could be another file's.
    let mut resume = resume.filter(|r| r.offset > 0 && r.etag.as_deref().is_some_and(is_strong));
    loop {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(Resume { offset, etag }) = resume {
            headers.insert(RANGE, HeaderValue::try_from(format!("bytes={offset}-")).expect("digits make a header"));
            if let Some(Ok(etag)) = etag.as_deref().map(HeaderValue::from_str) {
                headers.insert(IF_RANGE, etag);
            }
        }
        let (response, at) = wire.open(origin, url.clone(), &headers).await.map_err(FetchError::Service)?;
        let status = response.status().as_u16();
        match (status, resume) {
            (200, _) => return receive(wire, response, 0, sink).await,
            (206, Some(resume)) => return receive(wire, response, resume.offset, sink).await,
            (416, Some(whole)) if content_range(&response).is_some_and(|r| r.total == Some(whole.offset)) => {
                let head = ClipHead { total: Some(whole.offset), ..head(&response, whole.offset) };
                return sink.begin(&head).and_then(|()| sink.end()).map_err(FetchError::Disk);
            }
            (416, Some(_)) => resume = None,
            _ => return Err(FetchError::Service(refusal(wire, table, response, same_origin(&at, origin)).await)),
        }
    }
}

/// What an answer means that holds no clip.
async fn refusal(wire: &Wire, table: &[Row], response: Response, own: bool) -> ServiceError {
    let status = response.status().as_u16();
    let wait = retry_after(response.headers());
    let host = clean(response.url().host_str().unwrap_or_default(), 80);
    if own {
        let answer = Answer::read(response, JSON_MAX).await;
        let mut error = free(table, wire, &answer);
        if matches!(status, 403 | 404 | 410) {
            error.kind = ErrorKind::Gone;
        }
        return error;
    }
    let kind = match status {
        401 | 403 | 404 | 410 => ErrorKind::Gone,
        429 => ErrorKind::RateLimit,
        408 | 500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Protocol,
    };
    let text = match kind {
        ErrorKind::Gone => format!("the link at {host} is dead (HTTP {status})"),
        _ => format!("{host} answered HTTP {status} instead of the clip"),
    };
    ServiceError { status: Some(status), retry_after: wait, ..wire.error(kind, &text) }
}

async fn receive(wire: &Wire, mut response: Response, asked: u64, sink: &mut dyn ClipSink) -> Result<(), FetchError> {
    let mut head = head(&response, asked);
    if asked > 0 {
        let range = content_range(&response).filter(|range| range.first == Some(asked));
        let range = range.ok_or_else(|| protocol(wire, "the part of the clip that came is not the one asked for"))?;
        head.total = range.total.or(head.total.map(|rest| rest + asked));
    }
    if head.total.is_some_and(|total| total > CLIP_MAX) {
        return Err(FetchError::NotAClip("it is larger than 8 GiB".to_owned()));
    }
    let mut seen = asked;
    // A part from the middle of a file shows nothing at its beginning.
    let mut begun = asked > 0;
    let mut held = Vec::new();
    if begun {
        sink.begin(&head).map_err(FetchError::Disk)?;
    }
    loop {
        let chunk = response.chunk().await.map_err(|e| FetchError::Service(transport(wire.service, &e)))?;
        let Some(chunk) = chunk else { break };
        seen += chunk.len() as u64;
        if seen > CLIP_MAX {
            return Err(FetchError::NotAClip("it is larger than 8 GiB".to_owned()));
        }
        if begun {
            sink.write(&chunk).map_err(FetchError::Disk)?;
            continue;
        }
        held.extend_from_slice(&chunk);
        if held.len() >= SNIFFED {
            begin(&head, &held, sink)?;
            begun = true;
        }
    }
    if !begun {
        begin(&head, &held, sink)?;
    }
    match head.total {
        Some(total) if total != seen => {
            let text = format!("the clip broke off after {seen} of {total} bytes");
            Err(FetchError::Service(wire.error(ErrorKind::Unavailable, &text)))
        }
        _ => sink.end().map_err(FetchError::Disk),
    }
}

/// Starts a clip with its first bytes, if they can be a clip's.
fn begin(head: &ClipHead, first: &[u8], sink: &mut dyn ClipSink) -> Result<(), FetchError> {
    if let Some(what) = no_clip(first) {
        let kind = head.content_type.as_deref().unwrap_or("no content type");
        return Err(FetchError::NotAClip(format!("the link leads to {what} ({kind}) instead of a clip")));
    }
    sink.begin(head).and_then(|()| sink.write(first)).map_err(FetchError::Disk)
}

/// What content is instead of a clip, told from its beginning; no video format starts like these.
fn no_clip(first: &[u8]) -> Option<&'static str> {
    match first.trim_ascii_start().first() {
        None => Some("nothing"),
        Some(b'<') => Some("a web page"),
        Some(b'{' | b'[') => Some("JSON"),
        Some(_) => None,
    }
}

fn head(response: &Response, offset: u64) -> ClipHead {
    let text = |name: HeaderName| response.headers().get(name).and_then(|v| v.to_str().ok()).map(|v| clean(v, 200));
    ClipHead { offset, total: response.content_length(), content_type: text(CONTENT_TYPE), etag: text(ETAG) }
}

/// What `Content-Range` says: `bytes 100-199/200`, or `bytes */200`.
struct ContentRange {
    first: Option<u64>,
    total: Option<u64>,
}

fn content_range(response: &Response) -> Option<ContentRange> {
    let text = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let first = range.split_once('-').and_then(|(first, _)| first.trim().parse().ok());
    Some(ContentRange { first, total: total.trim().parse().ok() })
}

fn is_strong(etag: &str) -> bool {
    etag.starts_with('"')
}

fn protocol(wire: &Wire, text: &str) -> FetchError {
    FetchError::Service(wire.error(ErrorKind::Protocol, text))
}
