//! NinjaChat's new catalogue: 32 models (wire.md 2.3), what they cost, and the lists that say so.
//! No price is published (wire.md 2.3), so all of them are own; `/models`, `/pricing` and the bank
//! read this one table. Knows no order.

use crate::sim::call::{Call, number, reply};
use crate::sim::clock::iso;
use crate::sim::ninjachat_new_rules::error;
use crate::sim::service::Service;
use crate::sim::{Simulation, World};
use axum::extract::{Path, State};
use axum::response::Response;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

/// How a model is charged: units are `second` or `request` for videos (wire.md 2.2). Thousandths
/// of a dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    Second(i64),
    Request(i64),
}

/// One model.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    pub id: &'static str,
    pub brand: &'static str,
    rate: Rate,
    /// Seconds a clip takes, least and most. Own, but for those of the old generation.
    pub speed: (i64, i64),
}

const fn listing(id: &'static str, brand: &'static str, rate: Rate, speed: (i64, i64)) -> Listing {
    Listing { id, brand, rate, speed }
}

use Rate::{Request, Second};

/// In the schema's order (wire.md 2.3). Models that the old generation had keep its prices and
/// speeds (seeds 000 and 001); the rest is own.
pub const MODELS: [Listing; 32] = [
    listing("nova-reel", "amazon", Second(80), (60, 120)),
    listing("runway-gen4.5", "runway", Request(5000), (60, 180)),
    listing("seedance-2", "bytedance", Request(3000), (60, 120)),
    listing("seedance-2.0-fast", "bytedance", Second(90), (30, 60)),
    listing("seedance-2-mini", "bytedance", Second(60), (30, 60)),
    listing("seedance-2.0", "bytedance", Second(180), (60, 120)),
    listing("seedance-1.5-pro", "bytedance", Second(65), (60, 120)),
    listing("seedance-lite", "bytedance", Second(45), (30, 60)),
    listing("seedance-pro", "bytedance", Second(120), (60, 120)),
    listing("grok-imagine-video", "xai", Second(55), (30, 60)),
    listing("grok-imagine-video-1.5", "xai", Second(85), (30, 60)),
    listing("kling-2.5-turbo", "kling", Second(75), (60, 120)),
    listing("kling-3-pro", "kling", Second(145), (120, 240)),
    listing("wan-2.7", "alibaba", Second(95), (60, 120)),
    listing("wan-2.7-i2v", "alibaba", Second(95), (60, 120)),
    listing("wan-2.7-r2v", "alibaba", Second(115), (60, 120)),
    listing("wan-2.6", "alibaba", Second(85), (60, 120)),
    listing("wan-2.6-i2v", "alibaba", Second(85), (60, 120)),
    listing("wan-2.2-t2v-a14b", "alibaba", Request(450), (60, 120)),
    listing("fast-wan-2.2", "fastvideo", Request(150), (10, 30)),
    listing("fast-wan-qad", "fastvideo", Request(125), (10, 30)),
    listing("pruna-p-video", "pruna", Second(25), (10, 30)),
    listing("pixverse-6", "pixverse", Second(70), (40, 80)),
    listing("pixverse-6-i2v", "pixverse", Second(70), (40, 80)),
    listing("cosmos-3-nano", "nvidia", Second(35), (40, 80)),
    listing("cosmos-3-super", "nvidia", Second(105), (60, 120)),
    listing("vidu-q3", "vidu", Second(110), (60, 120)),
    listing("veo-3.1", "google", Request(5000), (180, 300)),
    listing("veo-3.1-fast", "google", Request(3000), (60, 120)),
    listing("kling-video", "kling", Request(3000), (180, 240)),
    listing("google-veo-2", "google", Request(3000), (35, 45)),
    listing("google-veo-3-fast", "google", Request(3000), (60, 120)),
];

/// The default model (wire.md 2.1).
pub const DEFAULT: &str = "veo-3.1-fast";
/// Gone once the catalogue has moved; own.
const RETIRED: &str = "google-veo-2";
/// There once the catalogue has moved; own.
const ARRIVED: Listing = listing("veo-4-preview", "google", Second(650), (120, 240));

/// The catalogue as it stands, before or after it moved (variant `catalogue`).
#[derive(Clone, Copy, Debug)]
pub struct Catalog {
    moved: bool,
}

impl Catalog {
    /// As the switch says.
    pub fn of(world: &World) -> Self {
        Self { moved: world.variants.is(Service::NinjaChat, "catalogue", "moved") }
    }

    fn all(self) -> impl Iterator<Item = Listing> {
        MODELS.into_iter().chain(self.moved.then_some(ARRIVED))
    }

    /// The model of that id, whether it can be ordered or not.
    pub fn find(self, id: &str) -> Option<Listing> {
        self.all().find(|model| model.id == id)
    }

    /// Whether a model takes orders.
    pub fn serves(self, model: &Listing) -> bool {
        !(self.moved && model.id == RETIRED)
    }

    /// What its rate is now; a quarter more per second once the catalogue has moved.
    fn rate(self, model: &Listing) -> Rate {
        match model.rate {
            Second(mills) if self.moved && model.id != ARRIVED.id => Second(mills * 5 / 4),
            rate => rate,
        }
    }

    /// What a clip of so many seconds costs, in dollars.
    pub fn price(self, model: &Listing, seconds: u32) -> Decimal {
        match self.rate(model) {
            Second(mills) => Decimal::new(mills * i64::from(seconds), 3),
            Request(mills) => Decimal::new(mills, 3),
        }
    }

    /// `pricing` of an entry: `typicalRequestUsd` is the default length's price.
    fn pricing(self, model: &Listing) -> Value {
        let (unit, mills) = match self.rate(model) {
            Second(mills) => ("second", mills),
            Request(mills) => ("request", mills),
        };
        json!({
            "unit": unit,
            "perUnitUsd": number(Decimal::new(mills, 3)),
            "typicalRequestUsd": number(self.price(model, 8)),
        })
    }

    fn entry(self, model: &Listing) -> Value {
        let serves = self.serves(model);
        let takes = |kind: &str| model.id.ends_with(kind);
        let mut capabilities = vec!["video"];
        capabilities.extend((!takes("-i2v") && !takes("-r2v")).then_some("text_to_video"));
        capabilities.extend((!takes("-r2v") && !model.id.contains("-t2v-")).then_some("image_to_video"));
        capabilities.extend(takes("-r2v").then_some("reference_to_video"));
        let status = match model.id {
            _ if !serves => "retired",
            "veo-4-preview" | "cosmos-3-super" => "preview",
            "google-veo-3-fast" => "deprecated",
            _ => "ga",
        };
        json!({
            "id": model.id, "object": "model", "created": 1_785_000_000, "owned_by": model.brand,
            "name": name(model.id), "modality": "video", "status": status, "servable": serves,
            "capabilities": capabilities, "pricing": self.pricing(model), "brand": model.brand,
            "providers": [{
                "provider": model.brand, "providerDisplayName": name(model.brand),
                "upstreamModelId": format!("{}/{}", model.brand, model.id), "role": "primary", "available": serves,
            }],
            "supportedParameters": super::ninjachat_new_rules::PARAMETERS,
        })
    }
}

/// `veo-3.1-fast` -> `Veo 3.1 Fast`.
fn name(id: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    id.split('-').map(word).collect::<Vec<String>>().join(" ")
}

/// Two that are no video models, as the list has all there are (own ids).
fn others() -> [Value; 2] {
    let entry = |id: &str, modality: &str, pricing: Value| {
        json!({
            "id": id, "object": "model", "created": 1_785_000_000, "owned_by": "simulator", "name": name(id),
            "modality": modality, "status": "ga", "servable": true, "capabilities": [modality], "brand": "simulator",
            "pricing": pricing, "providers": [], "supportedParameters": [],
        })
    };
    [
        entry("some-chat", "text", json!({"unit": "token", "meteredPromptPerToken": 0.000_001})),
        entry("some-image", "image", json!({"unit": "image", "perUnitUsd": 0.04})),
    ]
}

/// `GET /api/v1/models`: needs no key (wire.md 2.2; the vendor's OpenAPI).
pub async fn models(State(simulation): State<Arc<Simulation>>) -> Response {
    let catalog = Catalog::of(&simulation.world());
    let mut data: Vec<Value> = others().to_vec();
    data.extend(catalog.all().map(|model| catalog.entry(&model)));
    let body = json!({
        "object": "list", "total": data.len(), "data": data, "generated_at": iso(simulation.clock.now()),
    });
    reply(200, &body)
}

/// `GET /api/v1/models/{id}`.
pub async fn model(State(simulation): State<Arc<Simulation>>, Path(id): Path<String>) -> Response {
    let catalog = Catalog::of(&simulation.world());
    match catalog.find(&id) {
        Some(model) => reply(200, &catalog.entry(&model)),
        None => error(404, "model_not_found", &format!("The model '{id}' does not exist"), None),
    }
}

/// `GET /api/v1/pricing`: `{object, currency, chat, images, video}` (wire.md 2.2). Own: the rows.
pub async fn pricing(State(simulation): State<Arc<Simulation>>) -> Response {
    let catalog = Catalog::of(&simulation.world());
    let row = |model: Listing| {
        let mut row = catalog.pricing(&model);
        row["id"] = json!(model.id);
        row["name"] = json!(name(model.id));
        row
    };
    let video: Vec<Value> = catalog.all().filter(|model| catalog.serves(model)).map(row).collect();
    let body = json!({
        "object": "pricing", "currency": "usd", "video": video,
        "chat": [{"id": "some-chat", "unit": "token"}],
        "images": [{"id": "some-image", "unit": "image", "perUnitUsd": 0.04}],
    });
    reply(200, &body)
}

/// `GET /api/v1/health` (wire.md 2.2).
pub async fn health() -> Response {
    reply(200, &json!({"status": "operational"}))
}

/// `GET /api/v1/openapi`: enough to see which API this is; the true one is 160 KB.
pub async fn openapi(call: Call) -> Response {
    let get = json!({"get": {}});
    let body = json!({
        "openapi": "3.1.0",
        "info": {"title": "NinjaChat API", "version": "1.0.0"},
        "servers": [{"url": format!("{}/api/v1", call.base)}],
        "paths": {
            "/videos": {"post": {}}, "/videos/{id}": get, "/models": get, "/models/{id}": get, "/balance": get,
            "/usage": get, "/pricing": get, "/requests/{id}": get, "/health": get, "/openapi": get,
        },
    });
    reply(200, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_follow_the_rate_and_the_length() {
        let listed = Catalog { moved: false };
        let moved = Catalog { moved: true };
        let lite = listed.find("seedance-lite").unwrap();
        assert_eq!(listed.price(&lite, 8).normalize().to_string(), "0.36");
        assert_eq!(moved.price(&lite, 8).normalize().to_string(), "0.448");
        let veo = listed.find("veo-3.1").unwrap();
        assert_eq!(listed.price(&veo, 4), listed.price(&veo, 15));
        assert!(listed.find("veo-4-preview").is_none() && listed.find("runway-gen4-turbo").is_none());
        assert_eq!(name("veo-3.1-fast"), "Veo 3.1 Fast");
    }
}
