//! Whose route a path is, and what kind of route. The request log and the faults read it; the
//! router has its own list.

use crate::sim::call::{bare, prefix};
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

/// Reads a path, with or without a service's prefix. Without one, a path that two services have
/// is NanoGPT's.
pub fn place(path: &str) -> Place {
    let bare = bare(path);
    let service = prefix(path).map(|(_, service)| service);
    // LongStories' old status; at the root NinjaChat has that path.
    if service == Some(Service::NanoGpt) && bare == "/api/v1/video/status" {
        return Place { service, route: Route::Status };
    }
    let tables = [(Service::NanoGpt, nanogpt(bare)), (Service::NinjaChat, ninjachat(bare)), (Service::A4f, a4f(bare))];
    let mut meant = tables.into_iter().filter(|(owner, _)| service.is_none_or(|service| service == *owner));
    match meant.find_map(|(owner, route)| Some((owner, route?))) {
        Some((owner, route)) => Place { service: Some(owner), route },
        None => Place { service, route: Route::Other },
    }
}

/// Both generations' paths: they share none (wire.md 2.1).
fn ninjachat(path: &str) -> Option<Route> {
    match path {
        "/api/v1/video" | "/api/v1/videos" => Some(Route::Submit),
        "/api/v1/video/status" => Some(Route::Status),
        "/api/api-keys" | "/api/v1/balance" => Some(Route::Balance),
        "/api/v1/models" | "/api/v1/pricing" => Some(Route::Models),
        "/api/v1/usage" | "/api/v1/health" | "/api/v1/openapi" | "/api/v1/estimate" => Some(Route::Other),
        _ if path.starts_with("/api/v1/videos/") => Some(Route::Status),
        _ if path.starts_with("/api/v1/models/") => Some(Route::Models),
        _ if path.starts_with("/api/v1/requests/") => Some(Route::Other),
        _ if path.starts_with("/videos/") => Some(Route::Clip),
        _ => None,
    }
}

fn nanogpt(path: &str) -> Option<Route> {
    match path {
        "/api/generate-video" | "/api/generate-video/extend" => Some(Route::Submit),
        "/api/video/status" | "/api/generate-video/status" => Some(Route::Status),
        "/api/check-balance" => Some(Route::Balance),
        "/api/v1/video-models" | "/api/models/video" | "/api/v1/models" => Some(Route::Models),
        "/api/v1/usage" => Some(Route::Other),
        "/api/generate-video/recover" => Some(Route::Recover),
        "/api/generate-video/content" => Some(Route::Clip),
        _ if path.starts_with("/storage/") || path.starts_with("/r2/") => Some(Route::Clip),
        _ if path.starts_with("/api/v1/usage/requests/") => Some(Route::Other),
        _ => None,
    }
}

fn a4f(path: &str) -> Option<Route> {
    match path {
        "/v1/video/generations" => Some(Route::Submit),
        "/v1/models" => Some(Route::Models),
        "/v1/usage" => Some(Route::Balance),
        _ if path.starts_with("/v1/videos/serve/") => Some(Route::Clip),
        _ => None,
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
        for path in ["/api/v1/videos", "/ninjachat-new/api/v1/videos"] {
            assert_eq!((place(path).service, place(path).route), (Some(Service::NinjaChat), Route::Submit));
        }
        let poll = place("/ninjachat/api/v1/videos/a%2Fb");
        assert_eq!((poll.service, poll.route), (Some(Service::NinjaChat), Route::Status));
        assert_eq!(place("/ninjachat/api/generate-video").route, Route::Other, "another service's");
        assert_eq!(place("/nanogpt/storage/abc.mp4").route, Route::Clip);
        assert_eq!(place("/a4f/nothing").service, Some(Service::A4f));
        assert_eq!(place("/a4f/nothing").route, Route::Other);
    }
}
