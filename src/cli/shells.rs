//! `completions` and `man`: the command line, described for shells and for `man`.
//!
//! Knows the two generators. Must not know any verb.

use std::io::{self, Write};

use clap_complete::Shell;

use super::args::command;
use super::code;

/// Prints completions for a shell.
pub fn completions(shell: Shell, sim_help: &'static str) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command(sim_help), "rushes", &mut text);
    print(&text)
}

/// Prints the manual page: the program, then each verb.
pub fn man(sim_help: &'static str) -> u8 {
    let mut command = command(sim_help);
    command.build();
    let mut text = Vec::new();
    let whole = clap_mangen::Man::new(command.clone());
    // Writing to memory does not fail.
    let _ = whole.render(&mut text);
    for verb in command.get_subcommands() {
        let page = clap_mangen::Man::new(verb.clone());
        let _ = writeln!(text, ".SH \"RUSHES {}\"", verb.get_name().to_uppercase());
        let mut body = Vec::new();
        let _ = page.render_description_section(&mut body).and_then(|()| page.render_options_section(&mut body));
        // The verb's own headings are one level down.
        text.extend_from_slice(String::from_utf8_lossy(&body).replace(".SH ", ".SS ").as_bytes());
    }
    print(&text)
}

fn print(text: &[u8]) -> u8 {
    // A reader that went away has what it wanted.
    let _ = io::stdout().lock().write_all(text);
    code::DONE
}
