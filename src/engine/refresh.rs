//! Asks every service for its models, without an engine: for `models --refresh`.
//!
//! Knows providers, catalogue and store. Sends only free calls, and keeps what it learns only where no
//! engine works in the data directory: that one keeps its own.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::core::discover::{CHANGED, summary, told};
use super::effects::LONGEST_CALL;
use super::{EngineError, Settings, accounts, offers};
use crate::catalog::{Difference, differences};
use crate::domain::{AccountProfile, ErrorKind, Model};
use crate::provider::ServiceError;
use crate::store::{Change, EngineLock, LockError, NewLine, Shelf, Store, StoredAccount, StoredCatalogue};

/// What asking came to.
#[derive(Debug)]
pub struct Refreshed {
    /// By account, in the order of the settings: what changed, or why it could not be asked.
    pub accounts: Vec<(String, Result<Vec<Difference>, String>)>,
    /// Who works in the data directory, so that nothing was kept here; `None`: it was kept.
    pub held_by: Option<String>,
}

/// Asks now, compares with what was known, and keeps it.
///
/// # Errors
/// [`EngineError`]: settings that cannot be used, or a data directory that cannot.
pub async fn refresh(settings: &Settings) -> Result<Refreshed, EngineError> {
    let (providers, _) = accounts::connect(settings)?;
    let asked = settings.accounts.iter().filter_map(|account| {
        let (name, provider) = (account.name.clone(), providers.get(&account.name)?.clone());
        Some(async move {
            let asking = async {
                let profile = provider.probe().await?;
                let models = provider.discover(&profile).await?;
                Ok::<_, ServiceError>((profile, models))
            };
            let late = || Err(ServiceError::new(ErrorKind::Unavailable, "no list of models within a minute"));
            (name, tokio::time::timeout(LONGEST_CALL, asking).await.unwrap_or_else(|_| late()))
        })
    });
    let answers = join_all(asked).await;
    let who = EngineLock::describe(&settings.kind, Timestamp::now());
    let (lock, held_by) = match EngineLock::take(&settings.data_dir, &who) {
        Ok(lock) => (Some(lock), None),
        Err(LockError::Held { holder }) => (None, Some(holder)),
        Err(LockError::Io(why)) => {
            let dir = settings.data_dir.display();
            return Err(EngineError::Output(format!("cannot work in {dir}: {why}; choose another --data-dir")));
        }
    };
    let store = match &lock {
        Some(_) => Store::open(&settings.data_dir, settings.simulated.is_some())?,
        None => Store::open_read_only(&settings.data_dir)?,
    };
    let shelf = store.shelf()?;
    let (mut told_of, mut changes) = (Vec::new(), Vec::new());
    for (name, answer) in answers {
        let changed = match answer {
            Ok((profile, models)) => Ok(compare(settings, &shelf, &store, &name, profile, models, &mut changes)?),
            Err(error) => Err(error.to_string()),
        };
        told_of.push((name, changed));
    }
    if lock.is_some() && !changes.is_empty() {
        store.commit(changes).await?;
    }
    Ok(Refreshed { accounts: told_of, held_by })
}

/// What an answer changes, and how it is kept.
fn compare(
    settings: &Settings,
    shelf: &Shelf,
    store: &Store,
    name: &str,
    profile: AccountProfile,
    models: Vec<Model>,
    changes: &mut Vec<Change>,
) -> Result<Vec<Difference>, EngineError> {
    let Some(account) = settings.accounts.iter().find(|account| account.name == name) else { return Ok(Vec::new()) };
    let named: Vec<_> = offers::names(settings).into_iter().filter(|named| named.name == name).collect();
    let stock = |shelf: &Shelf| -> Result<Vec<Model>, EngineError> {
        let (_, offers) = offers::stocked(offers::catalog(settings.models.as_deref())?, &named, shelf.clone());
        Ok(offers.into_iter().map(|offer| (*offer.model).clone()).collect())
    };
    let at = Timestamp::now();
    let before = stock(shelf)?;
    let kept = shelf.accounts.iter().find(|kept| kept.name == name && kept.origin == account.origin);
    let known = StoredAccount {
        name: name.to_owned(),
        service: account.service,
        origin: account.origin.clone(),
        fingerprint: accounts::fingerprint(&store.salt(), account),
        profile: Some(profile.clone()),
        pause: kept.and_then(|kept| kept.pause.clone()),
    };
    let generation = profile.generation.or_else(|| account.generation.clone());
    let (account, origin) = (name.to_owned(), account.origin.clone());
    let catalogue = StoredCatalogue { account, origin, generation, at, models };
    let mut after = shelf.clone();
    after.accounts.retain(|other| other.name != name);
    after.accounts.push(known.clone());
    after.catalogues.retain(|other| other.account != name);
    after.catalogues.push(catalogue.clone());
    let changed = differences(&before, &stock(&after)?);
    changes.extend([Change::PutAccount(known), Change::PutCatalogue(catalogue)]);
    if !changed.is_empty() {
        changes.push(Change::AddLine(NewLine {
            at,
            job: None,
            account: Some(name.to_owned()),
            kind: CHANGED.to_owned(),
            text: summary(name, &changed),
            data: told(&changed),
        }));
    }
    Ok(changed)
}
