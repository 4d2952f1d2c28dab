//! Looking for an order whose answer was lost: the list of recent runs, and the usage record of our
//! own request id (wire.md 1.2, 1.3, 6).
//!
//! Knows what each of them can prove: only an echo of our own UUID and a charge under our own
//! request id. Must not know what the engine makes of it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use crate::domain::text::{clean, plain};
use crate::domain::{Currency, ErrorKind, Money};
use crate::mutation::mutated;

use super::super::answer::{Answer, JSON_MAX};
use super::super::error::{Envelope, NANOGPT, free};
use super::super::http::Wire;
use super::super::shape::remote_id;
use super::super::{Evidence, Grade, Intent, ServiceError};

/// The newest runs, as many as are given at once (wire.md 1.2).
const RECOVER: &str = "/api/generate-video/recover?limit=50";
const ROWS_MAX: usize = 50;
const USAGE: &str = "/api/v1/usage/requests/";

/// Looks for the order of an intent.
pub(super) async fn find(wire: &Wire, origin: &Url, intent: &Intent) -> Result<Evidence, ServiceError> {
    let listed = listed(wire, origin, intent).await;
    let (cost, strange) = match charge(wire, origin, &intent.correlation).await {
        Charge::Ours(cost) => (Some(cost), None),
        Charge::Strange(text) => (None, Some(text)),
        Charge::None => (None, None),
    };
    match (cost, listed) {
        // The list names the order, and the record its currency, which no status does (wire.md 1.4).
        (cost, Ok(evidence)) if evidence.grade == Grade::Proven => {
            Ok(Evidence { charged: cost.filter(|cost| !cost.amount.is_zero()), ..evidence })
        }
        (Some(cost), listed) if !cost.amount.is_zero() => {
            let but = listed.map_or_else(|error| error.message, |evidence| evidence.text);
            let text = format!("a charge of {cost} is booked under our own request id, but {but}");
            Ok(Evidence { grade: Grade::Proven, remote_id: None, charged: Some(cost), text })
        }
        (Some(_), Ok(evidence)) => {
            let text = format!("our request is known with a cost of nothing, and {}", evidence.text);
            Ok(Evidence { text, ..evidence })
        }
        (None, Ok(evidence)) if evidence.grade == Grade::Open => {
            let text = strange.map_or(evidence.text.clone(), |strange| format!("{}; {strange}", evidence.text));
            Ok(Evidence { text, ..evidence })
        }
        (_, listed) => listed,
    }
}

/// What the record of our own request says.
enum Charge {
    /// It names our request and what was charged for it.
    Ours(Money),
    /// It is no record of ours, though it was asked for by our id; in words.
    Strange(&'static str),
    None,
}

/// What the list of runs says: asked for our own id, and without it where that is refused.
async fn listed(wire: &Wire, origin: &Url, intent: &Intent) -> Result<Evidence, ServiceError> {
    let id = utf8_percent_encode(&intent.correlation, NON_ALPHANUMERIC);
    let mut answer = wire.get(origin, &format!("{RECOVER}&conversationUUID={id}"), JSON_MAX).await?;
    let mut asked = Asked::ByOurId;
    if matches!(answer.status, 400 | 422) {
        asked = Asked::Refused(answer.status, said(&answer));
        answer = wire.get(origin, RECOVER, JSON_MAX).await?;
    }
    match answer.json().filter(|_| answer.is_success()) {
        Some(json) => read(json, intent, &asked).ok_or_else(|| {
            wire.error(ErrorKind::Protocol, &format!("the list of runs cannot be read: {}", answer.describe()))
        }),
        None if answer.status == 404 => Ok(Evidence::open("NanoGPT offers no list of runs here")),
        None => match asked {
            Asked::ByOurId => Err(free(NANOGPT, wire, &answer)),
            Asked::Refused(status, words) => {
                Ok(Evidence::open(format!("NanoGPT refuses to look for our own id (HTTP {status}{words})")))
            }
        },
    }
}

fn said(answer: &Answer) -> String {
    let envelope = answer.json().and_then(Envelope::read);
    envelope.map(|e| format!(": {}", clean(&e.message, 120))).unwrap_or_default()
}

/// How the list was asked for.
enum Asked {
    ByOurId,
    /// Not by our id, since that was refused: with which status and which words.
    Refused(u16, String),
}

/// `{data: [{runId, model, conversationUUID, ...}]}` (wire.md 1.2). Only a row that echoes our own
/// UUID proves anything; a list that shows that it does not know or heed the id says nothing by
/// leaving it out.
fn read(json: &Value, intent: &Intent, asked: &Asked) -> Option<Evidence> {
    let rows = json.get("data").or_else(|| json.get("runs")).unwrap_or(json).as_array()?;
    let thread = |row: &Value| {
        let names = ["conversationUUID", "conversationUuid", "conversation_uuid"];
        names.iter().find_map(|name| row.get(name).and_then(Value::as_str)).map(str::to_owned)
    };
    let id = |row: &Value| ["runId", "id", "requestId"].iter().find_map(|name| row.get(name).and_then(remote_id));
    let ours = |row: &&Value| thread(row).is_some_and(|thread| thread == intent.correlation);
    let mut ids: Vec<String> = match mutated("any_run_is_ours") {
        true => rows.iter().filter_map(id).take(1).collect(),
        false => rows.iter().filter(ours).filter_map(id).collect(),
    };
    ids.sort_unstable();
    ids.dedup();
    let n = rows.len();
    let runs = if n == 1 { "1 run".to_owned() } else { format!("{n} runs") };
    let newest = if n >= ROWS_MAX { "; older runs are not listed" } else { "" };
    let evidence = match ids.as_slice() {
        [only] => Evidence {
            grade: Grade::Proven,
            remote_id: Some(only.clone()),
            charged: None,
            text: format!("NanoGPT lists run {} under our own id", clean(only, 60)),
        },
        [_, _, ..] => Evidence::open(format!("NanoGPT lists {} runs under our own id; look at them there", ids.len())),
        [] => Evidence::open(match (asked, rows.iter().any(|row| thread(row).is_some())) {
            (Asked::Refused(status, words), _) => format!(
                "NanoGPT refuses to look for our own id (HTTP {status}{words}), and it lists {runs} otherwise, none \
                 with it{newest}"
            ),
            (Asked::ByOurId, _) if n == 0 => "NanoGPT lists no run under our own id, which proves nothing".to_owned(),
            (Asked::ByOurId, true) => format!(
                "NanoGPT did not heed our own id: it lists {runs} of other orders, and that ours is not among them \
                 proves nothing{newest}"
            ),
            (Asked::ByOurId, false) => format!(
                "NanoGPT lists {runs} but not the id that each was ordered with, so none can be told to be ours; look \
                 at them there"
            ),
        }),
    };
    Some(evidence)
}

/// What was booked under our own request id (kept 24 h; absence proves nothing, and so does a
/// record of nothing charged).
async fn charge(wire: &Wire, origin: &Url, correlation: &str) -> Charge {
    let path = format!("{USAGE}{}", utf8_percent_encode(correlation, NON_ALPHANUMERIC));
    let Ok(answer) = wire.get(origin, &path, JSON_MAX).await else { return Charge::None };
    let Some(json) = answer.json().filter(|_| answer.is_success()) else { return Charge::None };
    let record = json.get("data").filter(|data| data.is_object()).unwrap_or(json);
    match ["request_id", "requestId"].iter().find_map(|key| record.get(*key)).and_then(Value::as_str) {
        None => Charge::Strange("its usage record does not say of which request it is, and is not trusted"),
        Some(id) if id != correlation => {
            Charge::Strange("it answers with the usage record of another request, which is not trusted")
        }
        Some(_) => cost(record).map_or(Charge::None, Charge::Ours),
    }
}

fn cost(record: &Value) -> Option<Money> {
    let currency = record.get("currency").and_then(Value::as_str).map_or(Some(Currency::Usd), |c| c.parse().ok())?;
    Money::parse(&plain(record.get("cost")?), currency).ok().filter(|cost| !cost.amount.is_sign_negative())
}
