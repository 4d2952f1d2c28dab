//! Bytes a terminal sends -> keys, pastes, focus changes and the mouse.
//!
//! Knows the sequences that terminals use. Must not know where the bytes come from, nor the time.
//!
//! crossterm's own reader is not used: it reads a blocking descriptor behind an edge-triggered poll, never
//! returns once the terminal is gone (crossterm #793, one core is lost to it), and takes an escape sequence
//! that a slow line cut in two for the Esc key and letters. Its event types are kept.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// The longest paste that is kept, in bytes; the rest of a longer one is dropped.
pub const MAX_PASTE: usize = 1 << 20;
/// The longest escape sequence that is waited for, in bytes.
const MAX_SEQUENCE: usize = 64;
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// Turns bytes into events; keeps what is not complete yet.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
}

/// What the first of the pending bytes are.
enum Step {
    /// So many bytes are this event.
    Is(usize, Event),
    /// So many bytes mean nothing to us.
    Skip(usize),
    /// So many bytes begin a paste.
    Paste(usize),
    /// More bytes are needed.
    Wait,
}

impl Decoder {
    /// Takes bytes as they were read and appends what they complete to `out`.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Event>) {
        self.pending.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            if self.paste.is_some() {
                let Some(used) = self.take_paste(at, out) else { break };
                at += used;
                continue;
            }
            match step(&self.pending[at..]) {
                Step::Is(used, event) => {
                    out.push(event);
                    at += used;
                }
                Step::Skip(used) => at += used,
                Step::Paste(used) => {
                    self.paste = Some(Vec::new());
                    at += used;
                }
                Step::Wait => break,
            }
        }
        self.pending.drain(..at);
        if self.paste.is_some() {
            self.drain_paste();
        }
    }

    /// Whether an escape sequence has begun that may be just the Esc key: ask [`Decoder::give_up`] when nothing
    /// follows for a while.
    pub fn is_waiting(&self) -> bool {
        self.paste.is_none() && self.pending.first() == Some(&0x1b)
    }

    /// Nothing followed: a lone escape is the Esc key, the start of a longer sequence is noise.
    pub fn give_up(&mut self, out: &mut Vec<Event>) {
        if !self.is_waiting() {
            return;
        }
        match self.pending.as_slice() {
            [0x1b] => out.push(key(KeyCode::Esc, KeyModifiers::NONE)),
            [0x1b, c @ (b'[' | b'O')] => out.push(key(KeyCode::Char(*c as char), KeyModifiers::ALT)),
            _ => {}
        }
        self.pending.clear();
    }

    /// Looks for the end of the paste behind `at`; the bytes used when it is there.
    fn take_paste(&mut self, at: usize, out: &mut Vec<Event>) -> Option<usize> {
        let rest = &self.pending[at..];
        let end = rest.windows(PASTE_ENDS.len()).position(|window| window == PASTE_ENDS)?;
        let mut text = self.paste.take().unwrap_or_default();
        let room = MAX_PASTE.saturating_sub(text.len());
        text.extend_from_slice(&rest[..end.min(room)]);
        out.push(Event::Paste(clean_paste(&text)));
        Some(end + PASTE_ENDS.len())
    }

    /// Moves all that can not be the start of the end mark into the paste, so that nothing is looked at twice.
    fn drain_paste(&mut self) {
        let keep = (1..PASTE_ENDS.len()).rev().find(|n| self.pending.ends_with(&PASTE_ENDS[..*n])).unwrap_or(0);
        let take = self.pending.len() - keep;
        if let Some(text) = &mut self.paste {
            let room = MAX_PASTE.saturating_sub(text.len());
            text.extend_from_slice(&self.pending[..take.min(room)]);
        }
        self.pending.drain(..take);
    }
}

/// A paste as plain text: line ends are `\n`, a tab is a blank, no character steers a terminal.
fn clean_paste(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut clean = String::with_capacity(text.len());
    let mut after_return = false;
    for c in text.chars() {
        match c {
            '\n' if after_return => {}
            '\r' | '\n' => clean.push('\n'),
            '\t' => clean.push(' '),
            c if c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}') => {}
            c => clean.push(c),
        }
        after_return = c == '\r';
    }
    clean
}

fn step(bytes: &[u8]) -> Step {
    match bytes {
        [] | [0x1b] => Step::Wait,
        [0x1b, 0x1b, ..] => Step::Is(1, key(KeyCode::Esc, KeyModifiers::NONE)),
        [0x1b, b'[', ..] => control_sequence(bytes),
        [0x1b, b'O'] => Step::Wait,
        [0x1b, b'O', last, ..] => match letter(*last) {
            Some(code) => Step::Is(3, key(code, KeyModifiers::NONE)),
            None if *last == b'M' => Step::Is(3, key(KeyCode::Enter, KeyModifiers::NONE)),
            None => Step::Skip(3),
        },
        [0x1b, rest @ ..] => match character(rest) {
            Step::Is(used, Event::Key(event)) => {
                Step::Is(used + 1, key(event.code, event.modifiers | KeyModifiers::ALT))
            }
            Step::Skip(used) => Step::Skip(used + 1),
            other => other,
        },
        _ => character(bytes),
    }
}

/// One key that is one character or control byte.
fn character(bytes: &[u8]) -> Step {
    let Some(first) = bytes.first() else { return Step::Wait };
    let (code, modifiers) = match first {
        0x00 => (KeyCode::Char(' '), KeyModifiers::CONTROL),
        // Ctrl-H is what many terminals send for Backspace.
        0x08 | 0x7f => (KeyCode::Backspace, KeyModifiers::NONE),
        b'\t' => (KeyCode::Tab, KeyModifiers::NONE),
        b'\r' => (KeyCode::Enter, KeyModifiers::NONE),
        c @ 0x01..=0x1a => (KeyCode::Char((c - 1 + b'a') as char), KeyModifiers::CONTROL),
        c @ 0x1c..=0x1f => (KeyCode::Char((c - 0x1c + b'4') as char), KeyModifiers::CONTROL),
        _ => {
            let len = match first {
                0x00..=0x7f => 1,
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => return Step::Skip(1),
            };
            let have = bytes.len().min(len);
            return match std::str::from_utf8(&bytes[..have]) {
                Ok(text) => match text.chars().next() {
                    Some(c) => Step::Is(len, key(KeyCode::Char(c), shift_of(c))),
                    None => Step::Wait,
                },
                // `error_len` is `None` while the character is only cut short.
                Err(error) if have < len && error.error_len().is_none() => Step::Wait,
                Err(_) => Step::Skip(1),
            };
        }
    };
    Step::Is(1, key(code, modifiers))
}

/// `ESC [ parameters final`.
fn control_sequence(bytes: &[u8]) -> Step {
    let body = &bytes[2..];
    // The Linux console's F1 to F5: ESC [ [ A.
    if let [b'[', rest @ ..] = body {
        return match rest {
            [] => Step::Wait,
            [c @ b'A'..=b'E', ..] => Step::Is(4, key(KeyCode::F(1 + c - b'A'), KeyModifiers::NONE)),
            _ => Step::Skip(3),
        };
    }
    let Some(end) = body.iter().position(|c| !(0x20..=0x3f).contains(c)) else {
        return if body.len() > MAX_SEQUENCE { Step::Skip(bytes.len()) } else { Step::Wait };
    };
    let used = end + 3;
    let last = body[end];
    if !(0x40..=0x7e).contains(&last) {
        // Cut off by something else, which is looked at next.
        return Step::Skip(used - 1);
    }
    let Ok(parameters) = std::str::from_utf8(&body[..end]) else { return Step::Skip(used) };
    // ESC [ M and three bytes: an old mouse report, never asked for.
    if last == b'M' && parameters.is_empty() {
        return if bytes.len() < 6 { Step::Wait } else { Step::Skip(6) };
    }
    if let (Some(report), b'M') = (parameters.strip_prefix('<'), last) {
        return mouse(report).map_or(Step::Skip(used), |event| Step::Is(used, event));
    }
    let mut numbers = parameters.split(';').map(|part| part.split(':').next().and_then(|n| n.parse::<u32>().ok()));
    let first = numbers.next().flatten();
    let second = numbers.next().flatten();
    let third = numbers.next().flatten();
    let held = modifiers(second.unwrap_or(1));
    let event = match last {
        b'~' => match first {
            Some(200) => return Step::Paste(used),
            // xterm's modifyOtherKeys: ESC [ 27 ; modifiers ; code ~
            Some(27) => third.and_then(code_point).map(|code| key(code, held)),
            Some(n) => tilde(n).map(|code| key(code, held)),
            None => None,
        },
        b'u' => first.and_then(code_point).map(|code| key(code, held)),
        b'Z' => Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        b'I' if parameters.is_empty() => Some(Event::FocusGained),
        b'O' if parameters.is_empty() => Some(Event::FocusLost),
        // Anything else in front of the letter is an answer to a question we never ask.
        _ if first.unwrap_or(1) == 1 && second.unwrap_or(1) <= 16 => letter(last).map(|code| key(code, held)),
        _ => None,
    };
    event.map_or(Step::Skip(used), |event| Step::Is(used, event))
}

/// A press of the left button or a notch of the wheel: `button;column;row`, the last two from 1.
fn mouse(report: &str) -> Option<Event> {
    let mut numbers = report.split(';').map(|number| number.parse::<u16>().ok());
    let (button, x, y) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let kind = match button {
        0 => MouseEventKind::Down(MouseButton::Left),
        64 => MouseEventKind::ScrollUp,
        65 => MouseEventKind::ScrollDown,
        _ => return None,
    };
    let (column, row) = (x.checked_sub(1)?, y.checked_sub(1)?);
    Some(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

fn letter(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(1 + last - b'P'),
        _ => return None,
    })
}

fn tilde(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number as u8 - 10),
        17..=21 => KeyCode::F(number as u8 - 11),
        23 | 24 => KeyCode::F(number as u8 - 12),
        _ => return None,
    })
}

fn code_point(code: u32) -> Option<KeyCode> {
    Some(match code {
        8 | 127 => KeyCode::Backspace,
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Esc,
        _ => KeyCode::Char(char::from_u32(code).filter(|c| !c.is_control())?),
    })
}

fn modifiers(parameter: u32) -> KeyModifiers {
    let bits = parameter.saturating_sub(1);
    let mut held = KeyModifiers::NONE;
    held.set(KeyModifiers::SHIFT, bits & 1 != 0);
    held.set(KeyModifiers::ALT, bits & 2 != 0);
    held.set(KeyModifiers::CONTROL, bits & 4 != 0);
    held
}

fn shift_of(c: char) -> KeyModifiers {
    if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8]) -> Vec<Event> {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        decoder.feed(bytes, &mut out);
        decoder.give_up(&mut out);
        out
    }

    fn plain(code: KeyCode) -> Event {
        key(code, KeyModifiers::NONE)
    }

    #[test]
    fn keys_are_read() {
        let ctrl = KeyModifiers::CONTROL;
        for (bytes, wanted) in [
            ("a", plain(KeyCode::Char('a'))),
            ("é", plain(KeyCode::Char('é'))),
            ("🎬", plain(KeyCode::Char('🎬'))),
            ("G", key(KeyCode::Char('G'), KeyModifiers::SHIFT)),
            ("\x13", key(KeyCode::Char('s'), ctrl)),
            ("\0", key(KeyCode::Char(' '), ctrl)),
            ("\r", plain(KeyCode::Enter)),
            ("\n", key(KeyCode::Char('j'), ctrl)),
            ("\x7f", plain(KeyCode::Backspace)),
            ("\x1b", plain(KeyCode::Esc)),
            ("\x1bx", key(KeyCode::Char('x'), KeyModifiers::ALT)),
            ("\x1bé", key(KeyCode::Char('é'), KeyModifiers::ALT)),
            ("\x1b[A", plain(KeyCode::Up)),
            ("\x1bOB", plain(KeyCode::Down)),
            ("\x1b[1;5C", key(KeyCode::Right, ctrl)),
            ("\x1b[3~", plain(KeyCode::Delete)),
            ("\x1b[6;3~", key(KeyCode::PageDown, KeyModifiers::ALT)),
            ("\x1bOP", plain(KeyCode::F(1))),
            ("\x1b[[B", plain(KeyCode::F(2))),
            ("\x1b[15~", plain(KeyCode::F(5))),
            ("\x1b[24~", plain(KeyCode::F(12))),
            ("\x1b[Z", key(KeyCode::BackTab, KeyModifiers::SHIFT)),
            ("\x1b[13;5u", key(KeyCode::Enter, ctrl)),
            ("\x1b[27;5;115~", key(KeyCode::Char('s'), ctrl)),
            ("\x1b[I", Event::FocusGained),
            ("\x1b[O", Event::FocusLost),
        ] {
            assert_eq!(decode(bytes.as_bytes()), [wanted], "{bytes:?}");
        }
    }

    #[test]
    fn the_mouse_is_read() {
        for (bytes, kind) in [
            ("\x1b[<0;12;4M", MouseEventKind::Down(MouseButton::Left)),
            ("\x1b[<64;12;4M", MouseEventKind::ScrollUp),
            ("\x1b[<65;12;4M", MouseEventKind::ScrollDown),
        ] {
            let wanted = Event::Mouse(MouseEvent { kind, column: 11, row: 3, modifiers: KeyModifiers::NONE });
            assert_eq!(decode(bytes.as_bytes()), [wanted], "{bytes:?}");
        }
    }

    #[test]
    fn noise_is_dropped_and_what_follows_it_is_not() {
        for noise in [
            "\x1b[?62;4c",
            "\x1b[<35;3;4M",
            "\x1b[<0;3;4m",
            "\x1b[<0;0;4M",
            "\x1b[M !!",
            "\x1b[12;40R",
            "\x1b[99~",
            "\x1bOz",
            "\x1b[1;",
        ] {
            let bytes = format!("{noise}\x1b[Bq");
            assert_eq!(decode(bytes.as_bytes()), [plain(KeyCode::Down), plain(KeyCode::Char('q'))], "{noise:?}");
        }
        assert_eq!(decode(b"\xff\xc3(q"), [plain(KeyCode::Char('(')), plain(KeyCode::Char('q'))]);
    }

    #[test]
    fn a_paste_is_one_event_without_control_characters() {
        let pasted = decode("\x1b[200~a\r\nb\tc\x1b[31m\x07\u{202e}d\r\x1b[201~x".as_bytes());
        assert_eq!(pasted, [Event::Paste("a\nb c[31md\n".into()), plain(KeyCode::Char('x'))]);
    }

    #[test]
    fn a_paste_without_end_does_not_grow_without_limit() {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        decoder.feed(b"\x1b[200~", &mut out);
        for _ in 0..40 {
            decoder.feed(&[b'x'; 1 << 16], &mut out);
        }
        assert!(decoder.pending.len() < PASTE_ENDS.len());
        decoder.feed(b"\x1b[201~", &mut out);
        assert_eq!(out, [Event::Paste("x".repeat(MAX_PASTE))]);
    }

    #[test]
    fn an_escape_sequence_cut_in_two_by_a_slow_line_is_still_one_key() {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        decoder.feed(b"\x1b", &mut out);
        assert!(out.is_empty() && decoder.is_waiting());
        decoder.feed(b"[A", &mut out);
        assert_eq!(out, [plain(KeyCode::Up)]);
        assert!(!decoder.is_waiting());
    }

    proptest! {
        #[test]
        fn bytes_mean_the_same_however_they_are_cut(
            parts in prop::collection::vec(prop_oneof![
                Just(b"\x1b[200~".to_vec()), Just(b"\x1b[201~".to_vec()), Just(b"\x1b[1;5A".to_vec()), Just("é🎬".into()),
                Just(b"\x1b".to_vec()), prop::collection::vec(any::<u8>(), 0..12),
            ], 0..12),
            cuts in prop::collection::vec(0usize..64, 0..12),
        ) {
            let bytes = parts.concat();
            let whole = decode(&bytes);
            let (mut decoder, mut out) = (Decoder::default(), Vec::new());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut from = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                decoder.feed(&bytes[from..cut], &mut out);
                from = cut;
            }
            decoder.give_up(&mut out);
            prop_assert_eq!(whole, out);
        }
    }
}
