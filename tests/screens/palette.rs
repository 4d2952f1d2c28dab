//! The palette, and the order of the list of models: keys in, commands and screen out.

use rushes::app::geometry::Pane;
use rushes::app::overlay::Overlay;
use rushes::domain::{Command, JobId};

use super::world::{Stage, snapshot};

fn stage() -> Stage {
    Stage::new((120, 40), snapshot())
}

fn model(stage: &Stage) -> String {
    stage.app.compose().form().offer().unwrap().model_ref().to_string()
}

#[test]
fn an_action_of_any_pane_runs_from_anywhere_and_asks_what_its_key_would_ask() {
    let mut stage = stage();
    stage.keys("n").types("a river: ").keys("Ctrl-P").types("balances").keys("Enter");
    assert_eq!(stage.commands(), [&Command::RefreshBalances]);
    assert_eq!(stage.app.focus(), Pane::Compose, "what works here stays here");
    assert_eq!(stage.app.compose().prompt().text(), "a river: ", "a colon is text where text is typed");
    // A verb of the table goes there first; it asks as its key does.
    stage.keys("Esc").keys("/").types("lamp").keys("Enter 2 Esc").keys(":").types("retry").keys("Enter");
    assert_eq!(stage.app.focus(), Pane::Jobs);
    assert!(matches!(stage.app.overlays(), [Overlay::Ask(ask)] if ask.title.contains("etry")), "{}", stage.text());
}

#[test]
fn models_and_jobs_are_gone_to_by_name() {
    let mut stage = stage();
    stage.keys(":").types("kling21").keys("Enter");
    assert_eq!((model(&stage).as_str(), stage.app.focus()), ("a4f/provider-2/kling-v2.1", Pane::Compose));
    // Hidden by the filter, and yet it is what is shown and what verbs act on.
    stage.keys("Esc / ").types("state:done").keys("Enter").keys(":").types("j-1").keys("Enter").settle();
    assert_eq!(stage.app.jobs().selected().map(|row| row.id), Some(JobId(1)));
    assert!(matches!(stage.app.overlays(), [Overlay::Detail { id: JobId(1), .. }]));
    stage.keys("Esc :").types("no such thing").keys("Enter");
    assert!(stage.app.overlays().is_empty());
}

#[test]
fn models_stand_by_the_price_of_this_form_and_say_why_they_do_not_take_it() {
    let mut stage = stage();
    stage.keys("n").types("a river").keys("Tab Tab Left F2");
    let order = |stage: &Stage| -> Vec<String> {
        let Some(Overlay::Picker(picker)) = stage.app.overlays().last() else { panic!("no list") };
        picker.found().map(|(offer, _)| offer.model.id.clone()).collect()
    };
    let chosen = |stage: &Stage| match stage.app.overlays().last() {
        Some(Overlay::Picker(picker)) => picker.selected().unwrap().model.id.clone(),
        _ => panic!("no list"),
    };
    let plain = order(&stage);
    let text = stage.text();
    assert!(text.contains("not with this form: "), "6 s is not what every model makes: {text}");
    stage.keys("Alt-s");
    assert_ne!(order(&stage), plain);
    assert_eq!(chosen(&stage), "veo-3.1", "the chosen one stays chosen");
    assert!(stage.text().contains("by price (Alt-s)"), "{}", stage.text());
    let Some(Overlay::Picker(picker)) = stage.app.overlays().last() else { panic!("no list") };
    let takes: Vec<bool> = picker.found().map(|(_, says)| says.unwrap().problem.is_none()).collect();
    assert!(takes.is_sorted_by(|a, b| a >= b), "those that take the form stand first: {takes:?}");
    let prices: Vec<_> = picker
        .found()
        .filter_map(|(_, says)| says.unwrap().price.filter(|_| says.unwrap().problem.is_none()))
        .collect();
    let dollars: Vec<_> =
        prices.iter().filter(|p| p.currency == rushes::domain::Currency::Usd).map(|p| p.amount).collect();
    assert!(dollars.len() > 1 && dollars.is_sorted(), "{dollars:?}");
    stage.keys("Alt-s Alt-s Alt-s");
    assert_eq!(order(&stage), plain, "four orders, round");
}

#[test]
fn common_words_find_what_is_meant_among_the_first_three() {
    for (typed, wanted) in [
        ("retry", &["retry"][..]),
        ("veo", &["ninjachat/veo-3.1", "ninjachat/veo-3.1-fast", "nanogpt/veo2-video"]),
        ("veo fast", &["ninjachat/veo-3.1-fast"]),
        ("kling", &["a4f/provider-2/kling-v2.1"]),
        ("cancel", &["cancel"]),
        ("copy link", &["copy link"]),
        ("link", &["copy link"]),
        ("help", &["help"]),
        ("quit", &["quit"]),
        ("leave", &["quit"]),
        ("balance", &["balances"]),
        ("failed", &["view failed"]),
        ("sort cost", &["sort cost"]),
        ("lighthouse", &["j-3", "j-8"]),
        ("undo", &["undo", "redo"]),
    ] {
        let mut stage = stage();
        stage.keys(":").types(typed);
        let Some(Overlay::Palette(palette)) = stage.app.overlays().last() else { panic!("no palette") };
        let first: Vec<&str> = palette.found().take(3).map(|choice| choice.name.as_str()).collect();
        let all = wanted.iter().all(|name| first.contains(name));
        assert!(all && first.first().is_some_and(|name| wanted.contains(name)), "{typed}: {first:?}");
    }
}
