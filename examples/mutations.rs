//! `cargo run --example mutations [NAME...]`: plants one fault after the other in the test build and
//! shows which test turns red for it. Exits 1 when one goes unnoticed, or when a test is red without any.

use std::process::{Command, ExitCode};

use rushes::mutation::MUTATIONS;

/// Who is expected to notice: arguments of `cargo test`, the last one a test's name or a part of it.
const WITNESSES: [(&str, &[&[&str]]); 15] = [
    ("no_full_sync", &[&["--test", "power", "no_loss_of_power"]]),
    ("send_before_commit", &[&["--test", "torture", "ninjachat"]]),
    ("connection_pool", &[&["--test", "wire", "every_order_has_a_connection_of_its_own"]]),
    ("client_retry", &[&["--test", "engine", "never_sent_again"], &["--test", "torture", "ninjachat"]]),
    ("redirects", &[&["--test", "wire", "ninjachat::every_cell_of_the_answer_table"]]),
    ("bare_502_refused", &[&["--lib", "only_a_whole_documented_refusal"], &["--test", "torture", "ninjachat"]]),
    ("requeue_on_start", &[&["--lib", "engine::core"], &["--test", "torture", "ninjachat"]]),
    ("no_dir_sync", &[&["--test", "power", "no_loss_of_power"]]),
    ("rename_before_sync", &[&["--lib", "content_is_on_the_medium"], &["--test", "power", "no_loss_of_power"]]),
    ("done_before_hash", &[&["--test", "torture", "ninjachat"]]),
    ("cap_read_outside", &[&["--test", "engine", "race::"]]),
    ("poll_books_charge", &[&["--lib", "engine::core"], &["--test", "torture", "ninjachat"]]),
    ("absence_is_proof", &[&["--lib", "engine::core::storm"], &["--test", "torture", "a4f"]]),
    ("lost_unsought", &[&["--test", "torture", "nanogpt"]]),
    // The day's list heeds our own id, so no day can notice it.
    ("any_run_is_ours", &[&["--test", "wire", "nanogpt"]]),
];

#[derive(PartialEq, Eq)]
enum Colour {
    Red,
    Green,
    /// It did not build, or no test has that name.
    Neither,
}

fn run(witness: &[&str], mutation: &str) -> Colour {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let (name, which) = witness.split_last().map_or(("", witness), |(name, which)| (*name, which));
    let output =
        Command::new(cargo).args(["test", "--quiet"]).args(which).arg(name).env("RUSHES_MUTATION", mutation).output();
    let Ok(output) = output else { return Colour::Neither };
    let said = String::from_utf8_lossy(&output.stdout);
    let passed =
        said.lines().filter_map(|line| line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse::<u32>().ok());
    if said.contains("test result: FAILED") {
        Colour::Red
    } else if output.status.success() && passed.sum::<u32>() > 0 {
        Colour::Green
    } else {
        Colour::Neither
    }
}

#[expect(clippy::print_stdout, reason = "a table is what this prints")]
fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut code = ExitCode::SUCCESS;
    for (name, breaks) in MUTATIONS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        println!("{name}: {breaks}");
        let witnesses = WITNESSES.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, list)| *list);
        if witnesses.is_empty() {
            println!("    open: no test can notice it yet");
        }
        for witness in witnesses {
            let (without, with) = (run(witness, ""), run(witness, name));
            let verdict = match (without, with) {
                (Colour::Green, Colour::Red) => "red",
                (Colour::Green, Colour::Green) => "GREEN: nobody noticed",
                (Colour::Red, _) => "RED WITHOUT IT: proves nothing",
                _ => "NO RESULT: no such test, or it does not build",
            };
            if verdict != "red" {
                code = ExitCode::FAILURE;
            }
            println!("    {verdict:8} cargo test {}", witness.join(" "));
        }
    }
    code
}
