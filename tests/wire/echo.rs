//! Services that put the account's key into everything they say: plainly, in other case, percent-encoded
//! and in part. Through every call of every adapter nothing of it comes out.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rushes::domain::Service;
use rushes::provider::{Intent, Provider, RemoteJob, RemoteState, SubmitAnswer};

use super::scripted::{Reply, Scripted};
use super::support::*;

/// What a service may answer to whatever it is asked, with the key as `echo`.
fn answers(echo: &str) -> Vec<Reply> {
    let json = |status, body: &str| Reply::json(status, &body.replace('@', echo));
    let models = |body: &str| Reply::json(200, &body.replacen("\"id\": \"", &format!("\"id\": \"{echo}"), 1));
    let text = |status| Reply::new(status, "text/plain", format!("what is {echo}?"));
    let clip = [b"\0\0\0\x18ftypmp42".as_slice(), &[0; 600]].concat();
    vec![
        json(202, r#"{"request_id":"j-1","id":"j-1","runId":"j-1","object":"video","status":"@","model":"@"}"#)
            .header("x-request-id", echo),
        json(200, r#"{"request_id":"@","id":"@","runId":"@","object":"video","status":"queued"}"#),
        json(200, r#"{"request_id":"@","id":"x@","runId":"j@","object":"video","status":"@"}"#),
        json(
            200,
            r#"{"status":"completed","video_url":"/c/@.mp4","result":{"video_url":"https://cdn.example/@.mp4"},
                "output":{"video":{"url":"https://cdn.example/a?k=@"}}}"#,
        ),
        json(200, r#"{"status":"failed","error":"no @","message":"@","userFriendlyError":"@"}"#),
        json(200, r#"{"status":"failed","error":{"message":"no @","code":"@","@":1}}"#),
        json(200, r#"{"data":[{"url":"https://cdn.example/@.mp4","revised_prompt":"a @"}]}"#),
        json(200, &format!(r#"{{"data":[{{"runId":"@","model":"m","conversationUUID":"{OURS}"}}]}}"#)),
        json(
            200,
            r#"{"usd_balance":"@","balance":"@","plan":"@","account_information":{"plan":"@"},"rate_limits":"@"}"#,
        ),
        models(include_str!("bodies/nanogpt_models.json")),
        models(include_str!("bodies/a4f_models.json")),
        models(include_str!("bodies/ninjachat_new_models.json")),
        json(400, r#"{"error":{"message":"no @","code":"@","param":"@","type":"@"},"message":"@"}"#),
        json(402, r#"{"error":"@","message":"@","status":402}"#),
        json(404, r#"{"error":{"message":"no @"}}"#),
        json(308, "").header("location", &format!("/{echo}/api")),
        text(200),
        text(400),
        text(503).header("retry-after", echo),
        Reply::new(200, echo, clip).header("etag", &format!("\"{echo}\"")),
    ]
}

/// Everything that an account says to an answer, and what came into a sink with it.
async fn all_calls(provider: &dyn Provider, origin: &str) -> Vec<String> {
    let profile = at(origin);
    let job = RemoteJob { remote_id: "j-1".into(), model: "m".into(), currency: None, generation: None };
    let intent = Intent { correlation: OURS.into(), model: "m".into(), sent_at: 1_790_000_000 };
    let (ordered, _, came) = order_into(provider, origin).await;
    let mut fetched = SharedSink::default();
    let fetch = provider.fetch(&format!("{origin}/clip.mp4"), None, &profile, &mut fetched).await;
    let heads = |sink: &SharedSink| sink.clips().into_iter().map(|(head, ..)| head).collect::<Vec<_>>();
    vec![
        format!("probe {:?}", provider.probe().await),
        format!("submit {ordered:?} {:?}", heads(&came)),
        format!("poll {:?}", provider.poll(&job, &profile).await),
        format!("balance {:?}", provider.balance(&profile).await),
        format!("discover {:?}", provider.discover(&profile).await),
        format!("find {:?}", provider.find(&intent, &profile).await),
        format!("fetch {fetch:?} {:?}", heads(&fetched)),
    ]
}

/// Whether twelve characters of the key in a row can be read in a text.
fn tells(text: &str) -> bool {
    let read = percent_decode_str(text).decode_utf8_lossy().to_lowercase();
    KEY.as_bytes().windows(12).any(|part| read.contains(std::str::from_utf8(part).unwrap()))
}

fn accounts(url: &str) -> [(&'static str, Arc<dyn Provider>); 4] {
    [
        ("ninjachat old", account_fixed(url, Some("old"))),
        ("ninjachat new", account_fixed(url, Some("new"))),
        ("nanogpt", account(Service::Nanogpt, url)),
        ("a4f", account(Service::A4f, url)),
    ]
}

#[tokio::test]
async fn nothing_of_a_key_that_its_service_repeats_leaves_an_adapter() {
    let encoded = KEY.to_uppercase().replace('-', "%2D");
    let mut cases = Cases::default();
    for echo in [KEY, &encoded, &KEY[4..KEY.len() - 2]] {
        for (n, answer) in answers(echo).into_iter().enumerate() {
            let server = Scripted::always(answer).await;
            for (name, provider) in accounts(&server.url()) {
                for said in all_calls(&*provider, &server.url()).await {
                    cases.check(&format!("{name}, answer {n} with {echo}"), !tells(&said), &said);
                }
            }
        }
    }
    cases.finish();
}

#[tokio::test]
async fn a_key_is_no_id_and_a_link_that_needs_it_still_leads_to_the_clip() {
    let taken = |id: &str, word: &str| {
        format!(r#"{{"request_id":"{id}","id":"{id}","runId":"{id}","object":"video","status":"{word}"}}"#)
    };
    let mut cases = Cases::default();
    for n in 0..3 {
        let server = Scripted::always(Reply::json(200, &taken(KEY, "queued"))).await;
        let (name, provider) = accounts(&server.url())[n].clone();
        let (answer, _) = order(&*provider, &server.url()).await;
        cases.equal(name, verdict(&answer).as_str(), "unknown protocol");
        let server = Scripted::always(Reply::json(200, &taken("j-1", KEY))).await;
        let (name, provider) = accounts(&server.url())[n].clone();
        let SubmitAnswer::Accepted(accepted) = order(&*provider, &server.url()).await.0 else { panic!("{name}") };
        cases.equal(
            name,
            (accepted.remote_id.as_str(), accepted.phase.as_deref()),
            ("j-1", accepted.phase.as_ref().map(|_| "[key]")),
        );
        let link =
            format!(r#"{{"status":"completed","video_url":"/clip?k={KEY}","result":{{"video_url":"/clip?k={KEY}"}}}}"#);
        let server = Scripted::always(Reply::json(200, &link)).await;
        let (name, provider) = accounts(&server.url())[n].clone();
        let job = RemoteJob { remote_id: "j-1".into(), model: "m".into(), currency: None, generation: None };
        let RemoteState::Finished { links } = provider.poll(&job, &at(&server.url())).await.unwrap().state else {
            panic!("{name}")
        };
        cases.equal(name, links[0].as_str(), &format!("{}/clip?k=[key]", server.url()));
        let _ = provider.fetch(&links[0], None, &at(&server.url()), &mut SharedSink::default()).await;
        cases.equal(name, server.received()[1].target.as_str(), &format!("/clip?k={KEY}"));
    }
    cases.finish();
}
