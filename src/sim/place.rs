//! Whose route a path is, and what kind of route. The request log and the faults read it; the
//! router has its own list.

use crate::sim::call::prefix;
use crate::sim::service::Service;
use serde::{Deserialize, Serialize};

/// The kinds of route a fault can be ordered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    Submit,
    Status,
    Balance,
    Clip,
    Models,
    Recover,
    Other,
}

impl Route {
    /// The name used in faults and counts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Status => "status",
            Self::Balance => "balance",
            Self::Clip => "clip",
            Self::Models => "models",
            Self::Recover => "recover",
            Self::Other => "other",
        }
    }
}

/// Whose route a path is.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub service: Option<Service>,
    pub route: Route,
}

/// Reads a path, with or without a service's prefix.
pub fn place(path: &str) -> Place {
    let prefixed = prefix(path);
    let bare = match prefixed {
        Some(service) => &path[service.name().len() + 1..],
        None => path,
    };
    let found = match bare {
        "/api/v1/video" => Some((Service::NinjaChat, Route::Submit)),
        "/api/v1/video/status" => Some((Service::NinjaChat, Route::Status)),
        "/api/api-keys" => Some((Service::NinjaChat, Route::Balance)),
        "/api/generate-video" | "/api/generate-video/extend" => Some((Service::NanoGpt, Route::Submit)),
        "/api/video/status" | "/api/generate-video/status" => Some((Service::NanoGpt, Route::Status)),
        "/api/check-balance" => Some((Service::NanoGpt, Route::Balance)),
        "/api/v1/video-models" => Some((Service::NanoGpt, Route::Models)),
        "/api/generate-video/recover" => Some((Service::NanoGpt, Route::Recover)),
        "/api/generate-video/content" => Some((Service::NanoGpt, Route::Clip)),
        "/v1/video/generations" => Some((Service::A4f, Route::Submit)),
        "/v1/models" => Some((Service::A4f, Route::Models)),
        "/v1/usage" => Some((Service::A4f, Route::Balance)),
        _ if bare.starts_with("/videos/") => Some((Service::NinjaChat, Route::Clip)),
        _ if bare.starts_with("/storage/") => Some((Service::NanoGpt, Route::Clip)),
        _ if bare.starts_with("/api/v1/usage/requests/") => Some((Service::NanoGpt, Route::Other)),
        _ => None,
    };
    match found {
        Some((service, route)) => Place { service: Some(service), route },
        None => Place { service: prefixed, route: Route::Other },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_with_and_without_prefix() {
        for path in ["/api/v1/video", "/ninjachat/api/v1/video"] {
            let found = place(path);
            assert_eq!(found.service, Some(Service::NinjaChat));
            assert_eq!(found.route, Route::Submit);
        }
        assert_eq!(place("/nanogpt/storage/abc.mp4").route, Route::Clip);
        assert_eq!(place("/a4f/nothing").service, Some(Service::A4f));
        assert_eq!(place("/a4f/nothing").route, Route::Other);
    }
}
