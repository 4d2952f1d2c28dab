//! What changed between two lists of models while the screen was open: marks for the list of models.
//!
//! Knows what a user compares. Must not know who told it; the sentences come as notices.

use std::collections::HashMap;

use crate::domain::ModelRef;
use crate::domain::message::Offer;

/// What changed of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It was not offered before.
    New,
    /// It costs something else.
    PriceMoved,
}

/// Adds what changed from one list of offers to the next; a first list is no news. Of an account whose
/// models were not listed before, nothing is new.
pub fn note(news: &mut HashMap<ModelRef, News>, before: &[Offer], after: &[Offer]) {
    let known: HashMap<ModelRef, &Offer> = before.iter().map(|offer| (offer.model_ref(), offer)).collect();
    for offer in after.iter().filter(|offer| !offer.model.gone) {
        let name = offer.model_ref();
        match known.get(&name).filter(|old| !old.model.gone) {
            Some(old) if old.model.price.text() != offer.model.price.text() => {
                // What was new in this session stays new.
                news.entry(name).or_insert(News::PriceMoved);
            }
            Some(_) => {}
            None if before.iter().any(|old| old.account == offer.account) => {
                news.insert(name, News::New);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(account: &str, id: &str, cents: u32) -> Offer {
        let model = format!(
            "id = \"{id}\"\nservice = \"a4f\"\nsource = \"t\"\nprice = {{ shape = {{ per_clip = {{ amount = \"0.{cents}\" }} }}, as_of = \"x\", source = \"t\" }}"
        );
        Offer::new(account, toml::from_str::<crate::domain::Model>(&model).unwrap())
    }

    #[test]
    fn a_model_that_came_and_a_price_that_moved_are_news_and_a_first_list_is_none() {
        let mut news = HashMap::new();
        let first = [offer("a", "one", 10), offer("a", "two", 10)];
        note(&mut news, &[], &first);
        assert!(news.is_empty());
        let second = [offer("a", "one", 20), offer("a", "two", 10), offer("a", "three", 10), offer("b", "one", 10)];
        note(&mut news, &first, &second);
        let of = |name: &str| news.get(&name.parse().unwrap()).copied();
        assert_eq!((of("a/one"), of("a/two")), (Some(News::PriceMoved), None));
        assert_eq!((of("a/three"), of("b/one")), (Some(News::New), None));
    }
}
