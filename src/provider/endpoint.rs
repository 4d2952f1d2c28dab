//! Where an account lives, and which adapter speaks to it.
//!
//! Knows the three services' origins. Must not know their wires.

use std::sync::Arc;

use secrecy::SecretString;

use crate::domain::{ErrorKind, Service};

use super::veil::Veiled;
use super::{Provider, ServiceError};

/// What is needed to speak to one account.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The service, which decides the wire.
    pub service: Service,
    /// Where it lives; a path prefix is kept. See [`default_origin`].
    pub base_url: String,
    /// The generation of the service's interface to speak, one of [`Service::generations`]; `None`
    /// finds out by [`Provider::probe`].
    pub generation: Option<String>,
    /// The key. Sent to this account's own origin only.
    pub key: SecretString,
    /// Whether plain http beyond loopback is the user's wish.
    pub allow_insecure: bool,
}

/// Where a service lives unless the user says otherwise: seed 000 (NinjaChat), seed 002 (NanoGPT),
/// wire.md 3.1 (A4F). NanoGPT's second host, `https://api.nano-gpt.com`, and the hosts under other
/// names that speak the same interface (wire.md 1.1) are left to the user's base URL, given with or
/// without `/api` at its end: the second host's catalogue was seen stale.
pub fn default_origin(service: Service) -> &'static str {
    match service {
        Service::Ninjachat => "https://ninjachat.ai",
        Service::Nanogpt => "https://nano-gpt.com",
        Service::A4f => "https://api.a4f.co",
    }
}

/// The adapter for an account. Opens no connection.
///
/// # Errors
/// [`ErrorKind::Invalid`] for a base URL that will not do or a
/// generation that the service does not have,
/// [`ErrorKind::Authentication`] for a key no header can carry.
pub fn connect(endpoint: Endpoint) -> Result<Arc<dyn Provider>, ServiceError> {
    if let Some(why) = endpoint.generation.as_deref().and_then(|g| endpoint.service.refuse_generation(g)) {
        return Err(ServiceError::new(ErrorKind::Invalid, why));
    }
    let (base_url, key) = (endpoint.base_url.clone(), endpoint.key.clone());
    Ok(match endpoint.service {
        Service::Ninjachat => Arc::new(Veiled::new(super::ninjachat::NinjaChat::new(endpoint)?, &base_url, key)),
        Service::Nanogpt => Arc::new(Veiled::new(super::nanogpt::NanoGpt::new(endpoint)?, &base_url, key)),
        Service::A4f => Arc::new(Veiled::new(super::a4f::A4f::new(endpoint)?, &base_url, key)),
    })
}
