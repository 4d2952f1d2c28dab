//! A second dashboard: looks at a data directory that another engine has, and changes nothing.
//!
//! Knows the store's reads. Must not send anything to a service or write a byte.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::report::{self, Outbox};
use super::{Commands, EngineError, Events, Settings, offers};
use crate::domain::Problem;
use crate::domain::message::{Answer, Event, Snapshot, Ticket};
use crate::store::Store;

/// How often the other engine's writes are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Attaches a face that only looks. `holder` says who has the directory.
///
/// # Errors
/// [`EngineError`] when the directory cannot be read.
pub fn watch(settings: &Settings, holder: &str) -> Result<(Commands, Events), EngineError> {
    let store = Store::open_read_only(&settings.data_dir)?;
    let list = Arc::new(offers::offers(&offers::names(settings), settings.models.as_deref())?);
    let (outbox, events) = report::channel();
    let commands = Commands { face: 0, messages: None, refusals: Some(outbox.clone()) };
    let (holder, simulated) = (holder.to_owned(), settings.simulated.clone());
    let look = move || -> Result<Snapshot, crate::store::StoreError> {
        Ok(Snapshot {
            jobs: store.rows()?,
            offers: list.clone(),
            simulated: simulated.clone(),
            read_only: Some(holder.clone()),
            ..Snapshot::default()
        })
    };
    outbox.post(Event::Snapshot(Box::new(look()?)));
    let reader = Store::open_read_only(Path::new(&settings.data_dir))?;
    tokio::spawn(async move {
        let mut seen = reader.data_version().ok();
        let mut clock = tokio::time::interval(LOOK);
        loop {
            clock.tick().await;
            if outbox.is_closed() {
                return;
            }
            let version = reader.data_version().ok();
            if version != seen {
                seen = version;
                if let Ok(snapshot) = look() {
                    outbox.post(Event::Snapshot(Box::new(snapshot)));
                }
            }
        }
    });
    Ok((commands, events))
}

/// Answers a command where nothing can be done.
pub(super) fn refuse(outbox: &Outbox, ticket: Ticket) {
    let text = "this is a second look at a running engine: nothing can be changed from here";
    let problems = vec![Problem::new("dashboard", "read_only", text)];
    outbox.post(Event::Answered { ticket, answer: Answer::Refused { problems } });
}
