//! Colours coarsened to what a terminal shows: any, 256, 16 or none.
//!
//! Knows what the palettes look like where nobody changed them. Must not know what a colour is for.

use ratatui::style::Color;

use super::ColorDepth;

/// The names of the 16, and the colours.
pub(super) const ANSI: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// What the 16 look like where nobody changed them (xterm's defaults), to find the nearest.
const ANSI_RGB: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

/// Below this share of the brightest part a colour's parts are so near each other that it is a grey.
const GREY: u16 = 4;
/// What is darker than this has no hue that is seen, 0-255.
const DARK: u8 = 0x60;

/// The nearest colour that the terminal shows; `None` where it shows none. The one place where
/// colours are coarsened.
pub(super) fn fit(color: Color, depth: ColorDepth) -> Option<Color> {
    let rgb = match color {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(n) if n >= 16 => indexed_rgb(n),
        Color::Indexed(n) => return fit(ANSI[usize::from(n)].1, depth),
        named => return (depth > ColorDepth::None).then_some(named),
    };
    match depth {
        ColorDepth::None => None,
        ColorDepth::Ansi16 => Some(ANSI[of_sixteen(rgb)].1),
        ColorDepth::Ansi256 => {
            let nearest = (16..=255u8).min_by_key(|&n| distance(indexed_rgb(n), rgb)).unwrap_or(7);
            Some(Color::Indexed(nearest))
        }
        ColorDepth::TrueColor => Some(color),
    }
}

/// The one of the 16 that stands for a colour. A hue stays a hue: by mere distance a pale red would be a grey and a
/// warm green a yellow, and states would look alike.
fn of_sixteen((r, g, b): (u8, u8, u8)) -> usize {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let chroma = most - least;
    if most < DARK || u16::from(chroma) * GREY < u16::from(most) {
        return [0, 7, 8, 15].into_iter().min_by_key(|&i| distance(ANSI_RGB[i], (r, g, b))).unwrap_or(7);
    }
    let (r, g, b, chroma) = (i32::from(r), i32::from(g), i32::from(b), i32::from(chroma));
    let most = i32::from(most);
    let hue = match most {
        _ if most == r => (60 * (g - b) / chroma).rem_euclid(360),
        _ if most == g => 120 + 60 * (b - r) / chroma,
        _ => 240 + 60 * (r - g) / chroma,
    };
    let base = match hue {
        0..20 | 330.. => 1,
        20..58 => 3,
        58..165 => 2,
        165..195 => 6,
        195..255 => 4,
        _ => 5,
    };
    // Meant for a dark ground, as green weighs most to the eye.
    let is_bright = 2126 * r + 7152 * g + 722 * b > 10_000 * 110 || most > 0xd0;
    if is_bright { base + 8 } else { base }
}

/// The colour of xterm's cube (16-231) and grey ramp (232-255).
fn indexed_rgb(n: u8) -> (u8, u8, u8) {
    if n >= 232 {
        let grey = 8 + 10 * (n - 232);
        return (grey, grey, grey);
    }
    let n = n.saturating_sub(16);
    let level = |i: u8| if i == 0 { 0 } else { 55 + 40 * i };
    (level(n / 36), level(n / 6 % 6), level(n % 6))
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    // Green weighs most to the eye, blue least.
    2 * square(a.0, b.0) + 4 * square(a.1, b.1) + square(a.2, b.2)
}

/// What one of the 16 looks like where nobody changed it.
#[cfg(test)]
pub(super) fn ansi_rgb(color: Color) -> Option<(u8, u8, u8)> {
    ANSI.iter().position(|(_, known)| *known == color).map(|i| ANSI_RGB[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_coarsened_to_the_nearest_and_keep_their_hue_among_sixteen() {
        assert_eq!(fit(Color::Rgb(95, 135, 255), ColorDepth::Ansi256), Some(Color::Indexed(69)));
        assert_eq!(fit(Color::Indexed(3), ColorDepth::Ansi16), Some(Color::Yellow));
        for (rgb, wanted) in [
            ((250, 10, 10), Color::LightRed),
            ((0xff, 0x8d, 0xa1), Color::LightRed),
            ((0xb8, 0xbb, 0x26), Color::LightGreen),
            ((0x7a, 0xa2, 0xf7), Color::LightBlue),
            ((0xb0, 0x18, 0x2b), Color::Red),
            ((0xbd, 0xae, 0x93), Color::DarkGray),
            ((0x28, 0x28, 0x28), Color::Black),
            ((0x29, 0x2e, 0x42), Color::Black),
        ] {
            assert_eq!(fit(Color::Rgb(rgb.0, rgb.1, rgb.2), ColorDepth::Ansi16), Some(wanted), "{rgb:?}");
        }
    }
}
