//! A second dashboard: looks at a data directory that another engine has, and changes nothing.
//!
//! Knows the store's reads. Must not send anything to a service or write a byte.

use super::report::{self, Outbox};
use super::{Commands, EngineError, Events, Settings, accounts, inspect, offers};
use crate::catalog::Catalog;
use crate::domain::Problem;
use crate::domain::message::{Answer, Command, Event, Snapshot, Ticket};
use crate::store::{Store, StoreError};

/// A look at what another engine writes.
#[derive(Clone, Debug)]
pub(super) struct Look {
    store: Store,
    outbox: Outbox,
}

/// Attaches a face that only looks. `holder` says who has the directory.
///
/// # Errors
/// [`EngineError`] when the directory cannot be read.
pub fn watch(settings: &Settings, holder: &str) -> Result<(Commands, Events), EngineError> {
    let store = Store::open_read_only(&settings.data_dir)?;
    let catalog = offers::catalog(settings.models.as_deref())?;
    let (outbox, events) = report::channel();
    let seen = store.data_version().ok();
    let look = Look { store: store.clone(), outbox: outbox.clone() };
    outbox.post(Event::Snapshot(Box::new(snapshot(settings, &store, &catalog, holder)?)));
    let (settings, holder) = (settings.clone(), holder.to_owned());
    let watched = store.clone();
    let watching = watched.watch(seen, move || {
        // What cannot be read now is read after the next commit.
        if let Ok(snapshot) = snapshot(&settings, &store, &catalog, &holder) {
            outbox.post(Event::Snapshot(Box::new(snapshot)));
        }
        !outbox.is_closed()
    });
    watching.map_err(|error| EngineError::Output(format!("cannot follow the other engine: {error}")))?;
    Ok((Commands::to_viewer(look), events))
}

/// Everything, as the other engine left it on disk. The core is only asked what it makes of it: its
/// first step is dropped, not carried out.
fn snapshot(settings: &Settings, store: &Store, catalog: &Catalog, holder: &str) -> Result<Snapshot, StoreError> {
    let loaded = store.load()?;
    let draft = loaded.draft.clone();
    let (core, _not_carried_out) = accounts::core(settings, store, loaded, catalog.clone(), jiff::Timestamp::now());
    let mut jobs = store.rows()?;
    for row in &mut jobs {
        row.turn = core.job(row.id).map_or(row.turn, crate::domain::Job::turn);
    }
    Ok(Snapshot {
        jobs,
        accounts: core.account_rows(),
        offers: core.offers().clone(),
        spend: core.spend(),
        timings: core.timings(),
        draft,
        simulated: settings.simulated.clone(),
        read_only: Some(holder.to_owned()),
    })
}

impl Look {
    /// Answers what reading can answer, and refuses the rest.
    pub(super) fn answer(&self, ticket: Ticket, command: &Command) {
        let answer = match command {
            Command::Inspect { id } => inspect(&self.store, None, *id),
            _ => {
                let text = "this is a second look at a running engine: nothing can be changed from here";
                Answer::Refused { problems: vec![Problem::new("dashboard", "read_only", text)] }
            }
        };
        self.outbox.post(Event::Answered { ticket, answer });
    }
}
