//! The models on offer, looked up by their full names.
//!
//! Knows offers as the engine hands them out. Must not know where a model is described.

use std::collections::HashMap;

use crate::domain::{Offer, Problem};

/// Finds the names nearest to one that nobody offers, best first.
pub type Nearest = fn(&str, &mut dyn Iterator<Item = String>) -> Vec<String>;

/// Offers by full name.
pub struct Shelf {
    offers: Vec<Offer>,
    by_name: HashMap<String, usize>,
    accounts: Vec<String>,
    nearest: Nearest,
}

impl Shelf {
    /// A shelf of these offers; `accounts` are all there are, with offers or without.
    pub fn new(offers: Vec<Offer>, accounts: Vec<String>, nearest: Nearest) -> Shelf {
        let by_name = offers.iter().enumerate().map(|(i, offer)| (offer.model_ref().to_string(), i)).collect();
        Shelf { offers, by_name, accounts, nearest }
    }

    /// All offers, in the order of accounts and catalogue.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The offer of that full name.
    ///
    /// # Errors
    /// The problem, with what was probably meant.
    pub fn find(&self, name: &str) -> Result<&Offer, Problem> {
        if let Some(offer) = self.by_name.get(name).and_then(|i| self.offers.get(*i)) {
            return Ok(offer);
        }
        let near = (self.nearest)(name, &mut self.by_name.keys().cloned());
        let hint = if near.is_empty() {
            "`rushes models` lists them".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        let account = name.split_once('/').map(|(account, _)| account);
        let message = match account {
            Some(account) if !self.accounts.iter().any(|known| known == account) => {
                let known = if self.accounts.is_empty() { "none".to_owned() } else { self.accounts.join(", ") };
                format!("`{name}` names no account of yours (there are: {known}); {hint}")
            }
            // What is known may be old, or of another generation of its service's interface.
            Some(_) => format!("`{name}` is not offered; {hint}; `rushes models --refresh` asks the services anew"),
            None => format!("`{name}` is no model; write account/model-id; {hint}"),
        };
        Err(Problem::new("model", "unknown", message))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::{Model, Service};

    /// A shelf of two NinjaChat models, one NanoGPT model that takes files, and one of unknown price.
    pub fn shelf() -> Shelf {
        let price = r#"price = { as_of = "x", source = "000", shape = { per_clip = { amount = "5.00" } } }"#;
        let unknown = r#"price = { as_of = "x", source = "000", shape = { unknown = {} } }"#;
        let seconds = r#"{ name = "duration", type = "integer", one_of = [4, 6, 8], default = 8 }"#;
        let aspect = r#"{ name = "aspect_ratio", type = "text", one_of = ["16:9", "9:16"], default = "16:9" }"#;
        let link = r#"{ name = "image", wire = "image_url", type = "image" }"#;
        let file =
            r#"{ name = "image", wire = "imageUrl", wire_data = "imageDataUrl", type = "image", max_bytes = 10 }"#;
        let model = |service: Service, id: &str, parameters: &str, price: &str| {
            let text = format!(
                "id = \"{id}\"\nservice = \"{service}\"\nprompt_max = 4000\nsource = \"000\"\nparameters = [{parameters}]\n{price}"
            );
            let model: Model = toml::from_str(&text).expect("a model written here");
            Offer::new(service.word(), model)
        };
        let offers = vec![
            model(Service::Ninjachat, "veo-3.1", &format!("{seconds}, {aspect}, {link}"), price),
            model(Service::Ninjachat, "seedance-2", aspect, price),
            model(Service::Nanogpt, "kling-v21-pro", &format!("{file}, {aspect}"), unknown),
        ];
        Shelf::new(offers, vec!["ninjachat".into(), "nanogpt".into()], |text, names| {
            names.filter(|name| strsim::jaro_winkler(text, name) > 0.9).collect()
        })
    }

    #[test]
    fn an_unknown_name_says_what_is_wrong_with_it() {
        let shelf = shelf();
        assert_eq!(shelf.find("ninjachat/veo-3.1").unwrap().model.id, "veo-3.1");
        let message = |name: &str| shelf.find(name).err().unwrap().message;
        let near = message("ninjachat/veo-3.2");
        assert!(
            near.contains("is not offered; did you mean ninjachat/veo-3.1?") && near.contains("--refresh"),
            "{near}"
        );
        assert!(message("work/zzz").contains("names no account of yours (there are: ninjachat, nanogpt)"));
        assert!(message("zzz").contains("write account/model-id"));
    }
}
