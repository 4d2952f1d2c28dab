//! A second dashboard: looks at a data directory that another engine has, and changes nothing.
//!
//! Knows the store's reads. Must not send anything to a service or write a byte.

use super::report::{self, Outbox};
use super::{Commands, EngineError, Events, Settings, accounts, inspect, offers};
use crate::catalog::Catalog;
use crate::domain::Problem;
use crate::domain::message::{Answer, Command, Event, Snapshot, Ticket};
use crate::store::{Loaded, Store, StoreError};

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
    let answers = Look { store: store.clone(), outbox: outbox.clone() };
    outbox.post(Event::Snapshot(Box::new(look(settings, &store, &catalog, holder)?)));
    let (settings, holder) = (settings.clone(), holder.to_owned());
    let watched = store.clone();
    let watching = watched.watch(seen, move || {
        // What cannot be read now is read after the next commit.
        if let Ok(snapshot) = look(&settings, &store, &catalog, &holder) {
            outbox.post(Event::Snapshot(Box::new(snapshot)));
        }
        !outbox.is_closed()
    });
    watching.map_err(|error| EngineError::Output(format!("cannot follow the other engine: {error}")))?;
    Ok((Commands::to_viewer(answers), events))
}

fn look(settings: &Settings, store: &Store, catalog: &Catalog, holder: &str) -> Result<Snapshot, StoreError> {
    snapshot(settings, store, store.load()?, catalog, Some(holder.to_owned()))
}

/// Everything, as it lies on disk. The core is only asked what it makes of it: its first step is dropped, not
/// carried out.
pub(super) fn snapshot(
    settings: &Settings,
    store: &Store,
    loaded: Loaded,
    catalog: &Catalog,
    read_only: Option<String>,
) -> Result<Snapshot, StoreError> {
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
        read_only,
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
