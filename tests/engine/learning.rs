//! What the engine learns from the services: their lists of models, and what they really charge.

use rushes::catalog::Account;
use rushes::domain::message::{Answer, Command, Event};
use rushes::domain::{JobState, PriceSource, Request, Service};
use rushes::engine::{self, Leave};

use super::world::{Desk, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_models_is_had_kept_and_never_lowers_what_is_set_aside() {
    let world = World::new().await;
    let documented =
        engine::offers(&[Account::new("nanogpt", Service::Nanogpt)], None, &world.settings().data_dir).unwrap();
    let mut desk = world.desk().await;
    let listed = desk
        .until("NanoGPT's list", |event, _| match event {
            Event::OffersChanged(offers) if offers.iter().any(|o| o.model.price.source == "discovered") => {
                Some(offers.clone())
            }
            _ => None,
        })
        .await;
    for before in &documented {
        let Some(now) = listed.iter().find(|o| o.model_ref() == before.model_ref() && !o.model.gone) else { continue };
        let request = Request::new(&before.model_ref(), "a river");
        let (Some(was), Some(is)) = (before.reservation(&request), now.reservation(&request)) else { continue };
        assert!(is.currency != was.currency || is.amount >= was.amount, "{}: {was} became {is}", before.model_ref());
    }
    let id = desk.queue("nanogpt/veo2-video", "a river").await;
    let row = desk.wait_for(id, JobState::Done).await;
    desk.engine.leave(Leave::Now).await;
    let kept = engine::offers(&[Account::new("nanogpt", Service::Nanogpt)], None, &world.settings().data_dir).unwrap();
    let veo = kept.iter().find(|offer| offer.model.id == "veo2-video").unwrap();
    let estimate = veo.estimate(&Request::new(&veo.model_ref(), "another")).unwrap();
    assert_eq!((Some(estimate.money), estimate.source), (row.cost, PriceSource::Observed), "charged once, known after");
    assert!(kept.len() > documented.len(), "the list outlives the engine");
    let again = engine::refresh(&world.settings()).await.unwrap();
    assert!(again.held_by.is_none());
    for (account, changed) in again.accounts {
        assert_eq!(changed.unwrap(), [], "{account}: asked again, nothing is different");
    }
    let mut desk = Desk::new(world.settings()).await;
    let Answer::Accepted { .. } = desk.ask(Command::RefreshModels).await else { panic!("refused") };
    assert!(engine::refresh(&world.settings()).await.unwrap().held_by.is_some(), "a running engine keeps its own");
    desk.engine.leave(Leave::Now).await;
}
