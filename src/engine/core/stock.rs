//! The models on offer, as the core keeps them: catalogue, lists of the services, and what was charged.
//!
//! Knows how the three become offers, and what is set aside for a job. Must not know where they come from.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Core, Step};
use crate::catalog::{self, Catalog};
use crate::domain::message::Event;
use crate::domain::observed::{Drift, Learnt, price_key};
use crate::domain::{Job, Model, Money, Observation, Observed, Offer, Request, Service};
use crate::store::{Change, StoredObservation};

/// What was observed, by service and model.
pub type Observations = HashMap<(Service, String), Arc<Observed>>;

/// Catalogue, observations and the offers they come to.
#[derive(Debug, Default)]
pub(super) struct Stock {
    pub(super) catalog: Catalog,
    made: catalog::Made,
    observed: Observations,
    list: Arc<Vec<Offer>>,
    /// Places in the list, by account and model.
    index: HashMap<String, HashMap<String, usize>>,
}

impl Stock {
    /// A stock over a catalogue and what was observed. Empty until it is filled.
    pub(super) fn new(catalog: Catalog, stored: Vec<StoredObservation>) -> Stock {
        Stock { catalog, observed: observations(stored), ..Stock::default() }
    }

    /// Makes the offers of these accounts anew; whether they are others than before.
    pub(super) fn fill(&mut self, accounts: &[catalog::Account]) -> bool {
        let mut list = self.catalog.offers_again(accounts, &mut self.made);
        attach(&mut list, &self.observed);
        let same = |(a, b): (&Offer, &Offer)| match Arc::ptr_eq(&a.model, &b.model) {
            true => (&a.account, &a.observed, &a.published) == (&b.account, &b.observed, &b.published),
            false => a == b,
        };
        if list.len() == self.list.len() && list.iter().zip(self.list.iter()).all(same) {
            return false;
        }
        self.index.clear();
        for (place, offer) in list.iter().enumerate() {
            self.index.entry(offer.account.clone()).or_default().insert(offer.model.id.clone(), place);
        }
        self.list = Arc::new(list);
        true
    }

    /// Every offer, by account and catalogue.
    pub(super) fn list(&self) -> &Arc<Vec<Offer>> {
        &self.list
    }

    /// The models of one account.
    pub(super) fn of_account(&self, account: &str) -> Vec<Model> {
        self.list.iter().filter(|offer| offer.account == account).map(|offer| (*offer.model).clone()).collect()
    }

    pub(super) fn offer(&self, account: &str, model: &str) -> Option<&Offer> {
        self.list.get(*self.index.get(account)?.get(model)?)
    }

    fn observe(&mut self, service: Service, model: &str, key: &str, observation: Observation) {
        let observed = self.observed.entry((service, model.to_owned())).or_default();
        Arc::make_mut(observed).put(key.to_owned(), observation);
        let observed = observed.clone();
        let same = |offer: &&mut Offer| offer.model.service == service && offer.model.id == model;
        for offer in Arc::make_mut(&mut self.list).iter_mut().filter(same) {
            offer.observed = observed.clone();
        }
    }
}

/// Stored observations by model.
pub fn observations(stored: Vec<StoredObservation>) -> Observations {
    let mut all: HashMap<(Service, String), Observed> = HashMap::new();
    for StoredObservation { service, model, key, observation } in stored {
        all.entry((service, model)).or_default().put(key, observation);
    }
    all.into_iter().map(|(name, observed)| (name, Arc::new(observed))).collect()
}

/// Says of each offer what was observed of it.
pub fn attach(offers: &mut [Offer], observed: &Observations) {
    for offer in offers {
        if let Some(observed) = observed.get(&(offer.model.service, offer.model.id.clone())) {
            offer.observed = observed.clone();
        }
    }
}

impl Core {
    /// Every model of every account, with what was observed of it.
    pub fn offers(&self) -> &Arc<Vec<Offer>> {
        self.stock.list()
    }

    /// What a request names, where its account offers it.
    pub(super) fn offer_of(&self, request: &Request) -> Option<&Offer> {
        self.stock.offer(&request.account, &request.model)
    }

    /// The model a request names, where its account offers it.
    pub fn model_of(&self, request: &Request) -> Option<&Arc<Model>> {
        self.offer_of(request).map(|offer| &offer.model)
    }

    /// Makes the offers anew and tells the faces where they are others.
    pub(super) fn restock(&mut self, step: &mut Step) {
        let mut accounts: Vec<_> = self.accounts.values().collect();
        accounts.sort_by_key(|account| account.place);
        let accounts: Vec<catalog::Account> = accounts
            .into_iter()
            .map(|account| catalog::Account {
                generation: account.generation.clone(),
                ..catalog::Account::new(account.name.clone(), account.service)
            })
            .collect();
        if self.stock.fill(&accounts) {
            step.events.push(Event::OffersChanged(self.stock.list().clone()));
            self.tell_pace(step);
        }
    }

    /// What is set aside for a job: the largest of what its model costs now by catalogue, list or user,
    /// of what was charged or quoted for the same, of what it cost when it was queued, and of the
    /// ceiling the user gave. Nothing that is learnt later makes it less.
    pub(super) fn reservation(&self, job: &Job) -> Option<Money> {
        let now = self.offer_of(&job.request).and_then(|offer| offer.reservation(&job.request));
        let known = [job.estimate.map(|estimate| estimate.money), now, job.ceiling];
        let currency = known.iter().flatten().next()?.currency;
        known.into_iter().flatten().filter(|money| money.currency == currency).max()
    }

    /// Why the ceiling that the user gave is not enough, where the price is known from charges only.
    pub(super) fn above_ceiling(&self, job: &Job) -> Option<String> {
        let (offer, ceiling) = (self.offer_of(&job.request)?, job.ceiling?);
        let seen = offer.observed(&job.request).filter(|_| job.request.price(&offer.model).is_none())?;
        let is_above = seen.money.currency == ceiling.currency && seen.money.amount > ceiling.amount;
        is_above.then(|| {
            let word = seen.learnt.word();
            format!(
                "{} were {word} for the same, more than the ceiling of {ceiling}; release it with a higher one",
                seen.money
            )
        })
    }

    /// Keeps what a service charged or quoted for a job; `again` corrects the figure of the same order.
    pub(super) fn observe(&mut self, job: &Job, money: Money, learnt: Learnt, again: bool, step: &mut Step) {
        let Some(offer) = self.offer_of(&job.request).filter(|_| money.is_believable()) else { return };
        let (service, model) = (offer.model.service, offer.model.id.clone());
        let key = price_key(&offer.model, &job.values);
        let before = offer.observed.of(&key, money.currency).cloned();
        let published = job.request.price(&offer.model);
        let counts = u32::from(learnt == Learnt::Charged && !again);
        let times = before.as_ref().map_or(0, |seen| seen.times).saturating_add(counts);
        let observation = Observation { money, at: self.now, times, learnt };
        self.stock.observe(service, &model, &key, observation.clone());
        step.changes.push(Change::PutObservation(StoredObservation {
            service,
            model,
            key,
            observation: observation.clone(),
        }));
        let is_news = before.is_none_or(|seen| seen.money != money);
        let differs = published != Some(money);
        if is_news && differs {
            let text = Drift { published, observed: observation }.text(&self.settings.zone);
            let data = serde_json::json!({"published": published, "observed": money, "learnt": learnt});
            self.tell(job, "price_observed", text, data, step);
        }
        if is_news || differs {
            step.events.push(Event::OffersChanged(self.stock.list().clone()));
        }
    }
}
