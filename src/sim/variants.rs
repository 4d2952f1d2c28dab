//! Variants: the ways in which documents, clients and hosts contradict each other about a service,
//! as switches that change how it behaves until they are switched back. Each service's are one
//! table; a wire asks `world.variants.is(Service, "name", "value")`. Knows no wire.

use crate::sim::service::Service;
use crate::sim::{a4f_variants, habits, nanogpt_variants, ninjachat_variants};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a switch can be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legal {
    /// One of these; the first is the default.
    Words(&'static [&'static str]),
    /// A whole number from 0 to `most`.
    Number { default: u64, most: u64 },
}

/// One switch.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    pub name: &'static str,
    pub legal: Legal,
    /// One line for whoever reads `/_sim/variants` or `rushes sim --help`.
    pub help: &'static str,
}

impl Variant {
    /// A switch with these positions; the first is how the service behaves unless told otherwise.
    pub const fn words(name: &'static str, words: &'static [&'static str], help: &'static str) -> Self {
        Self { name, legal: Legal::Words(words), help }
    }

    /// A switch that holds a whole number.
    pub const fn number(name: &'static str, default: u64, most: u64, help: &'static str) -> Self {
        Self { name, legal: Legal::Number { default, most }, help }
    }

    fn default(&self) -> String {
        match self.legal {
            Legal::Words(words) => words.first().copied().unwrap_or_default().to_owned(),
            Legal::Number { default, .. } => default.to_string(),
        }
    }

    /// The legal values as text: `a|b|c`, or `0-600`.
    fn range(&self) -> String {
        match self.legal {
            Legal::Words(words) => words.join("|"),
            Legal::Number { most, .. } => format!("0-{most}"),
        }
    }

    fn takes(&self, value: &str) -> bool {
        match self.legal {
            Legal::Words(words) => words.contains(&value),
            Legal::Number { most, .. } => value.parse::<u64>().is_ok_and(|number| number <= most),
        }
    }
}

/// Every service has it.
pub const ENCODING: Variant = Variant::words(
    "encoding",
    &["plain", "gzip"],
    "gzip: JSON answers are compressed for callers whose Accept-Encoding has it",
);
/// The services that hand out links have these.
pub const LINKS: [Variant; 3] = [
    Variant::words(
        "links",
        &["kept", "expire"],
        "expire: links are signed and end after link_seconds; a new poll gives a new one",
    ),
    Variant::number("link_seconds", 3600, 604_800, "how long a link of `expire` lives, in simulated seconds"),
    Variant::words("dead_link", &["403", "404"], "what a link answers that has ended or has no signature"),
];

/// A service's switches.
pub fn table(service: Service) -> Vec<Variant> {
    let (own, habits) = match service {
        Service::NinjaChat => (ninjachat_variants::VARIANTS, &habits::SWITCHES[..]),
        Service::NanoGpt => (nanogpt_variants::VARIANTS, &habits::SWITCHES[..]),
        Service::A4f => (a4f_variants::VARIANTS, &[][..]),
    };
    own.iter().chain(habits).chain(&LINKS).chain([&ENCODING]).copied().collect()
}

fn find(service: Service, name: &str) -> Option<Variant> {
    table(service).into_iter().find(|variant| variant.name == name)
}

/// How all switches stand.
#[derive(Debug, Default)]
pub struct Variants {
    /// Where a simulator's options differ from the table: what a reset goes back to.
    start: BTreeMap<(Service, &'static str), String>,
    set: BTreeMap<(Service, &'static str), String>,
}

impl Variants {
    /// Whether a switch stands at `value`. The names are the tables' own; others are never so.
    pub fn is(&self, service: Service, name: &str, value: &str) -> bool {
        self.value(service, name) == value
    }

    /// What a number is set to.
    pub fn number(&self, service: Service, name: &str) -> u64 {
        self.value(service, name).parse().unwrap_or_default()
    }

    /// Where a switch stands; nothing when the service has no such switch.
    pub fn value(&self, service: Service, name: &str) -> String {
        let variant = find(service, name);
        debug_assert!(variant.is_some(), "{} has no variant {name}", service.name());
        variant.map(|variant| self.position(service, &variant)).unwrap_or_default()
    }

    fn position(&self, service: Service, variant: &Variant) -> String {
        let place = (service, variant.name);
        let found = self.set.get(&place).or_else(|| self.start.get(&place));
        found.cloned().unwrap_or_else(|| variant.default())
    }

    /// Begins with another position than the table's.
    pub fn starting(mut self, service: Service, name: &'static str, value: &str) -> Self {
        self.start.insert((service, name), value.to_owned());
        self
    }

    /// Sets a switch, at every service that has it when none is named; or says what it takes.
    pub fn set(&mut self, service: Option<Service>, name: &str, value: &str) -> Result<(), String> {
        let services = Service::ALL.into_iter().filter(|known| service.is_none_or(|wanted| wanted == *known));
        let found: Vec<(Service, Variant)> =
            services.filter_map(|service| Some((service, find(service, name)?))).collect();
        if found.is_empty() {
            let place = service.map_or("any service", Service::name);
            return Err(format!("no variant {name} at {place}; GET /_sim/variants lists them"));
        }
        for (service, variant) in &found {
            if !variant.takes(value) {
                let range = variant.range();
                return Err(format!("{name} at {} takes {range}, not {value}", service.name()));
            }
        }
        for (service, variant) in found {
            self.set.insert((service, variant.name), value.to_owned());
        }
        Ok(())
    }

    /// Everything as at the start, at one service or at all; returns how many were set.
    pub fn reset(&mut self, service: Option<Service>) -> usize {
        let before = self.set.len();
        self.set.retain(|(set, _), _| service.is_some_and(|wanted| wanted != *set));
        before - self.set.len()
    }

    /// All switches for `GET /_sim/variants`.
    pub fn rows(&self) -> Value {
        let rows = Service::ALL.into_iter().flat_map(|service| {
            table(service).into_iter().map(move |variant| {
                json!({
                    "service": service.name(),
                    "name": variant.name,
                    "value": self.position(service, &variant),
                    "legal": variant.range(),
                    "help": variant.help,
                })
            })
        });
        Value::Array(rows.collect())
    }
}

/// The tables as text, for `rushes sim --help`. The default stands first.
pub fn listing() -> String {
    let mut text = String::new();
    for service in Service::ALL {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {}", service.name());
        for variant in table(service) {
            let range = match variant.legal {
                Legal::Words(_) => variant.range(),
                Legal::Number { default, .. } => format!("{} ({default})", variant.range()),
            };
            let _ = writeln!(text, "    {} {range}\n      {}", variant.name, variant.help);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_hold_together() {
        for service in Service::ALL {
            let mut names = std::collections::HashSet::new();
            for variant in table(service) {
                assert!(names.insert(variant.name), "{} twice", variant.name);
                assert!(variant.takes(&variant.default()), "{}", variant.name);
                assert!(!variant.help.is_empty() && !variant.help.contains('\n'));
            }
        }
    }

    #[test]
    fn a_switch_goes_back_to_where_the_options_had_it() {
        let mut variants = Variants::default().starting(Service::NinjaChat, "generation", "new");
        assert!(variants.is(Service::NinjaChat, "generation", "new"));
        variants.set(None, "generation", "old").unwrap();
        variants.set(None, "encoding", "gzip").unwrap();
        assert!(variants.is(Service::NinjaChat, "generation", "old"));
        assert!(Service::ALL.iter().all(|service| variants.is(*service, "encoding", "gzip")));
        assert!(variants.set(Some(Service::A4f), "generation", "new").is_err());
        assert!(variants.set(None, "link_seconds", "-1").is_err());
        assert_eq!(variants.reset(Some(Service::NinjaChat)), 2);
        assert!(variants.is(Service::NinjaChat, "generation", "new"));
        assert!(variants.is(Service::A4f, "encoding", "gzip"), "another service's");
    }
}
