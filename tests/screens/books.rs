//! A journey through what the books do not explain: shown, asked about, and said.

use rushes::domain::books::{Class, DifferenceId};
use rushes::domain::message::{Answer, Difference, Event, Spend};
use rushes::domain::{Command, JobId, Problem};

use super::world::{Stage, snapshot, usd};

fn unexplained(of: &[(u32, &str)]) -> Stage {
    let mut stage = Stage::new((120, 40), snapshot());
    let at = stage.now;
    let difference = |(id, money): &(u32, &str)| Difference {
        id: DifferenceId(*id),
        account: "nanogpt".into(),
        money: usd(money),
        at,
    };
    let differences = of.iter().map(difference).collect();
    let unexplained = of.iter().map(|(_, money)| usd(money)).collect();
    stage.event(Event::SpendChanged(Box::new(Spend { unexplained, differences, ..snapshot().spend })));
    stage
}

#[test]
fn a_difference_is_what_the_user_types_that_it_was_and_only_what_fits_is_taken() {
    let mut stage = unexplained(&[(1, "-0.35"), (2, "10")]);
    stage.keys("e");
    let text = stage.text();
    assert!(text.contains("$ or `rushes books classify u-1`") && text.contains("$ unexplained"), "{text}");
    stage.keys("$");
    let text = stage.text();
    for part in ["u-1: $0.35 gone from nanogpt", "u-2: $10.00 came to nanogpt", "`u-1 charge j-12`", "`u-2 deposit`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for wrong in ["u-1 deposit", "u-2 other-use", "u-3 deposit", "u-1 charge", "u-1 other-use j-2", "deposit"] {
        stage.types(wrong).keys("Enter");
        assert!(stage.commands().is_empty() && !stage.app.overlays().is_empty(), "{wrong} is no answer");
        for _ in 0..wrong.len() {
            stage.keys("Backspace");
        }
    }
    stage.types(" u-2  deposit ").keys("Enter");
    let deposit = Command::Classify { difference: DifferenceId(2), class: Class::Deposit, amount: None };
    assert_eq!(stage.commands(), [&deposit]);
    let problem = Problem::new("difference", "unknown", "u-2 is no open difference");
    stage.answer(Answer::Refused { problems: vec![problem] });
    assert!(stage.text().contains("u-2 is no open difference"), "{}", stage.text());
}

#[test]
fn the_only_difference_stands_there_already_and_where_there_is_none_it_is_said() {
    let mut stage = unexplained(&[(7, "-0.01")]);
    stage.keys("$").types("charge j-9 0.005").keys("Enter");
    let amount = Some(usd("0.005").amount);
    let charge = Command::Classify { difference: DifferenceId(7), class: Class::ChargeOf(JobId(9)), amount };
    assert_eq!(stage.commands(), [&charge]);
    let mut stage = unexplained(&[]);
    stage.keys("$");
    assert!(stage.app.overlays().is_empty() && stage.text().contains("nothing is unexplained"), "{}", stage.text());
}
