//! NanoGPT's other endpoints (wire.md 1.2, 1.5, 1.7, 1.9): balance, lists of models, what a lost order left behind.

use rushes::provider::{Grade, Intent};
use serde_json::json;

use super::stage::{At, Stage};
use crate::wire::support::OURS;

pub async fn reads_both_balances(stage: &Stage) {
    let at = stage.nanogpt().await;
    let all: Vec<String> =
        at.provider.balance(&at.profile).await.unwrap().iter().map(|m| m.amount.to_string()).collect();
    assert_eq!(all, ["129.46956147", "26.71801147"], "to the last digit");
    stage.saw("answer usd_balance");
    stage.saw("answer nano_balance");
}

pub async fn lists_its_models(stage: &Stage) {
    let at = stage.nanogpt().await;
    let found = at.provider.discover(&at.profile).await.unwrap();
    assert!(found.len() > 50 && found.iter().any(|m| m.id == "veo2-video"), "{}", found.len());
    stage.saw("list of video models");
    stage.variant("nanogpt", "catalogue", "moved").await;
    let moved = at.provider.discover(&at.profile).await.unwrap();
    let kinds: std::collections::BTreeSet<String> = rushes::catalog::differences(&found, &moved)
        .iter()
        .map(|difference| format!("{:?}", difference.change).split([' ', '{', '(']).next().unwrap().to_owned())
        .collect();
    assert!(kinds.len() >= 3, "new, gone, price moved: {kinds:?}");
    stage.saw("a list that moved");
    stage.variant("nanogpt", "catalogue", "listed").await;
    let none = json!({"service": "nanogpt", "route": "models", "kind": "status", "status": 404, "times": 1,
        "body": "{\"error\":\"Not found\"}", "headers": {"content-type": "application/json"}});
    stage.fault(none).await;
    let older = at.provider.discover(&at.profile).await.unwrap();
    assert!(older.iter().any(|m| m.id == "veo2-video"), "{}", older.len());
    stage.saw("the older list as fallback");
    let none = json!({"service": "nanogpt", "route": "models", "kind": "status", "status": 404, "times": 2,
        "body": "{\"error\":\"Not found\"}", "headers": {"content-type": "application/json"}});
    stage.fault(none).await;
    let text_only = at.provider.discover(&at.profile).await.unwrap_err();
    assert_eq!(text_only.kind, rushes::domain::ErrorKind::Gone, "text models are none of ours: {text_only:?}");
    stage.saw("the list of text models, asked last, taken for none");
}

async fn looked_up(at: &At, correlation: &str) -> rushes::provider::Evidence {
    let intent = Intent { correlation: correlation.to_owned(), model: "veo2-video".into(), sent_at: 0 };
    at.provider.find(&intent, &at.profile).await.unwrap()
}

pub async fn finds_a_lost_order(stage: &Stage) {
    let at = stage.nanogpt().await;
    let (accepted, _) = at.accepted("veo2-video", "an eagle", json!({"duration": 5})).await;
    let evidence = looked_up(&at, OURS).await;
    assert_eq!((evidence.grade, evidence.remote_id), (Grade::Proven, Some(accepted.remote_id)));
    stage.saw("recover by conversationUUID");
    let stranger = looked_up(&at, "11111111-1111-4111-8111-111111111111").await;
    assert_eq!((stranger.grade, stranger.remote_id), (Grade::Open, None), "absence is no proof");
    stage.saw("recover of an order that is not listed");
    // Without the list's help, the charge under our own request id is the proof; without both, nothing is.
    for (value, item) in [
        ("ignored", "recover that ignores the filter"),
        ("dropped", "recover without the field"),
        ("lagging", "recover that lags"),
        ("refused", "recover that refuses the field"),
    ] {
        stage.variant("nanogpt", "conversation_uuid", value).await;
        stage.variant("nanogpt", "lag_seconds", "86400").await;
        stage.variant("nanogpt", "usage", "absent").await;
        let stranger = looked_up(&at, "11111111-1111-4111-8111-111111111111").await;
        assert_ne!(stranger.grade, Grade::Proven, "{value}: {stranger:?}");
        let own = looked_up(&at, OURS).await;
        // Where the filter is ignored or refused, our own row still shows and names our own id; what is not listed
        // or names no id proves nothing.
        let shown = matches!(value, "ignored" | "refused") || (value == "lagging" && own.remote_id.is_some());
        assert_eq!(own.grade == Grade::Proven, shown, "{value}: {own:?}");
        stage.saw(item);
    }
    stage.variant("nanogpt", "conversation_uuid", "dropped").await;
    stage.variant("nanogpt", "usage", "kept").await;
    let charged = looked_up(&at, OURS).await;
    assert_eq!((charged.grade, charged.remote_id), (Grade::Proven, None), "{}", charged.text);
    assert!(charged.text.contains("$3.40"), "{}", charged.text);
    stage.saw("usage of a request by its X-Request-ID");
    // A record or a list that is not what was asked for proves nothing of an order that was never sent.
    stage.variant("nanogpt", "conversation_uuid", "ignored").await;
    for (name, value, said) in [
        ("usage", "others", "the usage record of another request"),
        ("usage", "nameless", "does not say of which request"),
        ("recover_shape", "runs", "did not heed our own id"),
        ("recover_shape", "bare", "did not heed our own id"),
        ("recover_limit", "ignored", "did not heed our own id"),
    ] {
        stage.variant("nanogpt", name, value).await;
        let stranger = looked_up(&at, "11111111-1111-4111-8111-111111111111").await;
        assert_eq!((stranger.grade, stranger.remote_id, stranger.charged), (Grade::Open, None, None), "{name} {value}");
        assert!(stranger.text.contains(said), "{name} {value}: {}", stranger.text);
    }
    let own = looked_up(&at, OURS).await;
    assert_eq!(own.grade, Grade::Proven, "what names our own id is proof in whatever shape: {}", own.text);
}
