//! NanoGPT's price list and what its catalogue advertises: data only. Figures are typed from
//! wire.md 1.10 and 6; a row marked `OWN` has no published price and got a plausible flat one.

/// What an order pays, in dollars. Amounts are texts, so that they stay exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// For a clip of any length.
    Clip(&'static str),
    /// For a clip without and with sound.
    Sound(&'static str, &'static str),
    /// For each second.
    Second(&'static str),
    /// For each second, without and with sound.
    SecondSound(&'static str, &'static str),
    /// For each second, by resolution.
    SecondBy(&'static [(&'static str, &'static str)]),
    /// For a clip, by resolution.
    ClipBy(&'static [(&'static str, &'static str)]),
    /// For a clip, by length in seconds; other lengths in proportion to the first.
    Length(&'static [(u32, &'static str)]),
    /// For five seconds, by resolution; other lengths in proportion.
    FiveBy(&'static [(&'static str, &'static str)]),
    /// A first stretch, then each further second, up to a longest.
    Stretch { base: &'static str, seconds: u32, extra: &'static str, most: u32 },
    /// veo3-1-video: from text by resolution, from an image by sound; each second.
    TextOrImage { text: &'static [(&'static str, &'static str)], silent: &'static str, sound: &'static str },
}

/// What else changes a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    None,
    /// Factor with sound.
    Sound(&'static str),
    /// Factor with `pro_mode` or `pro`.
    Pro(&'static str),
    /// Factor with more frames than this.
    Frames(u32, &'static str),
    /// Factor with a source or reference video.
    Video(&'static str),
    /// Dollars for an image input.
    Image(&'static str),
    /// Dollars for each reference image beyond so many.
    References(usize, &'static str),
    /// The catalogue shows a `raw` price that is this factor of the true one (wire.md 1.9, 6).
    Listed(&'static str),
    /// `Listed`, and the factor of sound.
    ListedSound(&'static str, &'static str),
}

/// What a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Text,
    TextOrImage,
    Image,
    Video,
    ImageAndVideo,
}

/// One model.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    pub id: &'static str,
    pub name: &'static str,
    pub takes: Takes,
    pub price: Price,
    pub extra: Extra,
    /// Advertised lengths in seconds; the first is the default. Not enforced: wire.md 6.
    pub seconds: &'static [u32],
    /// Advertised resolutions; the first is the default. Not enforced: wire.md 6.
    pub lines: &'static [&'static str],
    pub shapes: &'static [&'static str],
    /// The wire's key for sound, and whether it is on when left out (wire.md 1.9 b).
    pub sound: Option<(&'static str, bool)>,
    /// Longest prompt in UTF-16 units (wire.md 1.6, 6).
    pub prompt: usize,
    /// Clips an order gives.
    pub clips: usize,
    /// Whether the price is published.
    pub sure: bool,
}

const WIDE: &[&str] = &["16:9", "9:16"];
const SQUARE: &[&str] = &["16:9", "9:16", "1:1"];
const FIVE: &[&str] = &["16:9", "9:16", "1:1", "4:3", "3:4"];
const HD: &[&str] = &["720p", "1080p"];
const ANY: &[&str] = &[];
const SHORT: &[u32] = &[5, 10];
const TO_FIFTEEN: &[u32] = &[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const VEO2: &[u32] =
    &[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30];

/// A row with a published price.
const fn row(
    id: &'static str,
    name: &'static str,
    takes: Takes,
    price: Price,
    seconds: &'static [u32],
    lines: &'static [&'static str],
    shapes: &'static [&'static str],
) -> Listing {
    Listing {
        id,
        name,
        takes,
        price,
        extra: Extra::None,
        seconds,
        lines,
        shapes,
        sound: None,
        prompt: 10_000,
        clips: 1,
        sure: true,
    }
}

/// A row without one: the simulator's own flat price.
const fn own(
    id: &'static str,
    name: &'static str,
    takes: Takes,
    dollars: &'static str,
    seconds: &'static [u32],
    lines: &'static [&'static str],
    shapes: &'static [&'static str],
) -> Listing {
    Listing { sure: false, ..row(id, name, takes, Price::Clip(dollars), seconds, lines, shapes) }
}

const fn plus(listing: Listing, extra: Extra) -> Listing {
    Listing { extra, ..listing }
}

/// A row whose published price is one of the opaque `raw` ones. The true charge is not known; where
/// it was compared, it was 1.7 times as much (wire.md 1.9 a), so that is charged: OWN.
const fn raw(listing: Listing) -> Listing {
    Listing { sure: false, ..plus(listing, Extra::Listed("0.588")) }
}

const fn sound(listing: Listing, key: &'static str, on: bool) -> Listing {
    Listing { sound: Some((key, on)), ..listing }
}

const fn prompt(listing: Listing, prompt: usize) -> Listing {
    Listing { prompt, ..listing }
}

use Extra as E;
use Price as P;
use Takes::{Image as I, ImageAndVideo as IV, Text as T, TextOrImage as TI, Video as V};

/// Every model this simulator offers.
#[rustfmt::skip]
pub const MODELS: &[Listing] = &[
    // Google
    row("veo2-video", "Veo 2", TI, P::Stretch { base: "3.40", seconds: 5, extra: "0.68", most: 30 }, VEO2, ANY, FIVE),
    own("veo2-video-image-to-video", "Veo 2 Image to Video", I, "3.40", &[5, 6, 7, 8], ANY, WIDE), // OWN
    sound(row("veo3-video", "Veo 3", TI, P::Sound("3.20", "4.80"), &[8], HD, &["16:9"]), "generateAudio", false),
    sound(own("veo3-fast-video", "Veo 3 Fast", TI, "2.00", &[8], HD, WIDE), "generateAudio", false), // OWN
    sound(row("veo3-1-video", "Veo 3.1", TI, P::TextOrImage { text: &[("720p", "0.40"), ("1080p", "0.65")], silent: "0.20", sound: "0.40" }, &[4, 6, 8], HD, WIDE), "generateAudio", false),
    sound(row("veo3-1-fast-video", "Veo 3.1 Fast", TI, P::SecondSound("0.10", "0.15"), &[4, 6, 8], HD, WIDE), "generateAudio", false),
    row("veo3-1-lite-video", "Veo 3.1 Lite", TI, P::Second("0.05"), &[4, 6, 8], HD, WIDE),
    row("veo3-1-extend", "Veo 3.1 Extend", V, P::Clip("2.80"), &[7], ANY, ANY),
    own("veo3-1-fast-extend", "Veo 3.1 Fast Extend", V, "1.20", &[7], ANY, ANY), // OWN
    row("google/gemini-omni-flash/v1.1", "Gemini Omni Flash 1.1", TI, P::TextOrImage { text: &[("720p", "0.13")], silent: "0.14", sound: "0.14" }, &[8, 3, 4, 5, 6, 7, 9, 10], &["720p"], WIDE),
    // OpenAI
    plus(row("sora-2", "Sora 2", TI, P::Second("0.10"), &[4, 8, 12], &["720p", "1792x1024"], ANY), E::Pro("3")),
    // Kuaishou
    own("kling-video", "Kling", T, "0.45", &[5], ANY, ANY), // OWN
    own("kling-video-v2", "Kling 2.0", TI, "1.40", SHORT, ANY, SQUARE), // OWN
    own("kling-v21-standard", "Kling 2.1 Standard", I, "0.28", SHORT, ANY, ANY), // OWN
    own("kling-v21-pro", "Kling 2.1 Pro", I, "0.49", SHORT, ANY, ANY), // OWN
    own("kling-v21-master", "Kling 2.1 Master", I, "1.40", SHORT, ANY, ANY), // OWN
    own("kling-v25-turbo-pro", "Kling 2.5 Turbo Pro", TI, "0.35", SHORT, ANY, SQUARE), // OWN
    own("kling-v25-turbo-std", "Kling 2.5 Turbo Standard", I, "0.21", SHORT, ANY, ANY), // OWN
    plus(sound(row("kling-v26-pro", "Kling 2.6 Pro", TI, P::Length(&[(5, "0.35"), (10, "0.70")]), SHORT, ANY, SQUARE), "sound", false), E::Sound("2")),
    plus(sound(row("kling-v26-std", "Kling 2.6 Standard", TI, P::Length(&[(5, "0.25"), (10, "0.50")]), SHORT, ANY, SQUARE), "sound", false), E::None),
    row("kling-v26-std-motion-control", "Kling 2.6 Motion Control", IV, P::Second("0.07"), &[5], ANY, ANY),
    plus(sound(row("kling-v30-std", "Kling 3.0 Standard", TI, P::Second("0.084"), SHORT, ANY, SQUARE), "sound", false), E::Sound("1.5")),
    sound(own("kling-v30-pro", "Kling 3.0 Pro", TI, "0.90", SHORT, ANY, SQUARE), "sound", false), // OWN
    own("kling-v3-turbo-standard", "Kling 3 Turbo Standard", TI, "0.40", SHORT, ANY, SQUARE), // OWN
    own("kling-v3-turbo-pro", "Kling 3 Turbo Pro", TI, "0.60", SHORT, ANY, SQUARE), // OWN
    own("kling-v3-4k", "Kling 3 4K", TI, "2.00", SHORT, ANY, SQUARE), // OWN
    own("kling-o3-4k", "Kling O3 4K", TI, "2.20", SHORT, ANY, SQUARE), // OWN
    own("kling-lipsync-t2v", "Kling Lipsync", V, "0.30", &[5], ANY, ANY), // OWN; needs voice_id: seed 003
    plus(row("kling-video-o1", "Kling O1", TI, P::Second("0.112"), SHORT, ANY, SQUARE), E::Video("1.5")),
    // MiniMax
    own("minimax-video", "MiniMax Video", TI, "0.50", &[6, 10], ANY, ANY), // OWN
    prompt(own("minimax-hailuo-02", "MiniMax Hailuo 02", TI, "0.30", &[6, 10], ANY, ANY), 2000), // OWN; cap: wire.md 1.6
    own("minimax-hailuo-02-pro", "MiniMax Hailuo 02 Pro", TI, "0.50", &[6], ANY, ANY), // OWN
    own("minimax-hailuo-23-standard", "MiniMax Hailuo 2.3", TI, "0.30", &[6, 10], ANY, ANY), // OWN
    own("minimax-hailuo-23-pro", "MiniMax Hailuo 2.3 Pro", TI, "0.50", &[5], ANY, ANY), // OWN
    plus(row("minimax-h3", "MiniMax H3", TI, P::Second("0.13"), TO_FIFTEEN, ANY, SQUARE), E::References(5, "0.04")),
    row("minimax/h3-max/extend-video", "MiniMax H3 Max Extend", V, P::SecondBy(&[("480p", "0.05"), ("768p", "0.08"), ("1080p", "0.16"), ("2k", "0.32")]), SHORT, &["768p", "480p", "1080p", "2k"], ANY),
    // Tencent
    plus(row("hunyuan-video", "Hunyuan Video", T, P::Clip("0.40"), ANY_SECONDS, &["720p", "480p", "1080p"], SQUARE), E::Pro("2")),
    own("hunyuan-video-15", "Hunyuan Video 1.5", TI, "0.30", &[5], &["720p", "480p"], ANY), // OWN
    row("hunyuan-video-image-to-video", "Hunyuan Image to Video", I, P::Clip("0.40"), ANY_SECONDS, &["720p"], SQUARE),
    // Alibaba
    plus(row("wan-video-image-to-video", "Wan Image to Video", I, P::ClipBy(&[("480p", "0.20"), ("720p", "0.40")]), ANY_SECONDS, &["720p", "480p"], ANY), E::Frames(81, "1.25")),
    row("wan-video-22-turbo", "Wan 2.2 Turbo", TI, P::ClipBy(&[("480p", "0.05"), ("580p", "0.075"), ("720p", "0.10")]), ANY_SECONDS, &["720p", "480p", "580p"], &["auto", "16:9", "9:16", "1:1"]),
    own("wan-video-22", "Wan 2.2", TI, "0.30", &[5, 8], &["480p", "720p"], ANY), // OWN
    own("wan-wavespeed-22-plus", "Wan 2.2 Plus", TI, "0.30", &[5], &["720p", "480p", "1080p"], ANY), // OWN
    own("wan-wavespeed-25", "Wan 2.5", TI, "0.50", SHORT, &["720p", "480p", "1080p"], ANY), // OWN
    own("wan-wavespeed-25-extend", "Wan 2.5 Extend", V, "0.50", &[5, 8], &["720p", "480p"], ANY), // OWN
    raw(row("wan-wavespeed-26", "Wan 2.6", TI, P::SecondBy(&[("720p", "0.0901"), ("1080p", "0.1343")]), SHORT, HD, SQUARE)), // OWN
    sound(Listing { sure: false, ..plus(row("wan-wavespeed-26-flash", "Wan 2.6 Flash", I, P::SecondBy(&[("720p", "0.025"), ("1080p", "0.0376")]), &[5, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], HD, SQUARE), E::ListedSound("0.588", "2")) }, "generateAudio", false), // OWN
    raw(row("wan-2.7-video", "Wan 2.7", TI, P::SecondBy(&[("720p", "0.1003"), ("1080p", "0.1496")]), SHORT, HD, SQUARE)), // OWN
    own("wan-video-22-5b", "Wan 2.2 5B", TI, "0.15", ANY_SECONDS, &["720p", "580p"], ANY), // OWN
    own("wan-wavespeed-22-spicy-extend", "Wan 2.2 Spicy Extend", V, "0.40", &[5, 8], &["720p", "480p"], ANY), // OWN
    row("alibaba/wan-3.0", "Wan 3.0", TI, P::SecondBy(&[("480p", "0.07"), ("720p", "0.13")]), SHORT, &["720p", "480p"], SQUARE),
    row("alibaba/wan-3.0-prime", "Wan 3.0 Prime", TI, P::SecondBy(&[("480p", "0.0625"), ("720p", "0.125")]), SHORT, &["720p", "480p"], SQUARE),
    // ByteDance
    row("seedance-video", "Seedance", TI, P::FiveBy(&[("480p", "0.12"), ("720p", "0.285"), ("1080p", "0.57")]), SHORT, &["480p", "720p", "1080p"], FIVE),
    own("seedance-lite-video", "Seedance Lite", TI, "0.18", &[5, 10], &["720p", "480p"], FIVE), // OWN
    own("bytedance-seedance-v1-pro-fast", "Seedance 1 Pro Fast", TI, "0.20", &[5, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12], &["720p", "480p", "1080p"], FIVE), // OWN
    plus(sound(row("bytedance-seedance-v1.5-pro", "Seedance 1.5 Pro", TI, P::SecondBy(&[("480p", "0.012"), ("720p", "0.026"), ("1080p", "0.052")]), SHORT, &["720p", "480p", "1080p"], FIVE), "generateAudio", true), E::ListedSound("0.588", "2")),
    plus(sound(row("bytedance-seedance-v1.5-pro-fast", "Seedance 1.5 Pro Fast", TI, P::SecondBy(&[("720p", "0.02"), ("1080p", "0.03")]), SHORT, HD, FIVE), "generateAudio", true), E::Sound("2")),
    raw(row("bytedance-seedance-2-0", "Seedance 2.0", TI, P::SecondBy(&[("720p", "0.1394"), ("1080p", "0.1496")]), SHORT, HD, FIVE)), // OWN
    raw(row("bytedance-seedance-2-0-mini", "Seedance 2.0 Mini", TI, P::SecondBy(&[("720p", "0.1207"), ("1080p", "0.2992")]), SHORT, HD, FIVE)), // OWN
    plus(row("bytedance-seedance-2-0-fast", "Seedance 2.0 Fast", TI, P::Second("0.12"), SHORT, &["720p"], FIVE), E::Listed("0.583")), // listed 0.35, charged 0.60 (wire.md 6)
    plus(row("doubao-seedance-2-0", "Doubao Seedance 2.0", TI, P::SecondBy(&[("480p", "0.12"), ("720p", "0.24"), ("1080p", "0.60")]), SHORT, &["720p", "480p", "1080p"], FIVE), E::Video("2")),
    row("bytedance/seedance-2.5", "Seedance 2.5", TI, P::SecondBy(&[("480p", "0.18"), ("720p", "0.36")]), &[5, 4, 10], &["720p", "480p", "1080p", "4k"], FIVE),
    // Others
    own("pixverse-v45", "PixVerse 4.5", TI, "0.20", &[5, 8], ANY, SQUARE), // OWN
    own("pixverse-v5", "PixVerse 5", TI, "0.25", &[5, 8], ANY, SQUARE), // OWN
    own("pixverse-v55", "PixVerse 5.5", TI, "0.25", &[5, 8], ANY, SQUARE), // OWN
    own("pixverse-v56", "PixVerse 5.6", TI, "0.30", &[5, 8], ANY, SQUARE), // OWN
    own("pixverse-v6", "PixVerse 6", TI, "0.35", &[5, 8], ANY, SQUARE), // OWN
    own("vidu-video", "Vidu", TI, "0.30", &[5], ANY, SQUARE), // OWN
    prompt(row("lightricks-ltx-2-fast", "LTX 2 Fast", TI, P::Second("0.04"), &[6, 8, 10, 12, 14, 16, 18, 20], ANY, ANY), 3000),
    own("lightricks-ltx-2-pro", "LTX 2 Pro", TI, "0.60", &[6, 8, 10], ANY, ANY), // OWN
    row("luma/agent/ray/v3.2", "Luma Ray 3.2", TI, P::SecondBy(&[("540p", "0.10"), ("720p", "0.20"), ("1080p", "0.40")]), SHORT, &["540p", "720p", "1080p"], FIVE),
    plus(row("grok-imagine-video", "Grok Imagine Video", TI, P::SecondBy(&[("480p", "0.05"), ("720p", "0.07")]), &[6, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15], &["480p", "720p"], SQUARE), E::Image("0.002")),
    own("grok-imagine-video-extend", "Grok Imagine Video Extend", V, "0.60", &[6, 2, 3, 4, 5, 7, 8, 9, 10], &["480p", "720p"], ANY), // OWN
    row("xai/grok-imagine-video/v1.5/image-to-video", "Grok Imagine Video 1.5", I, P::SecondBy(&[("480p", "0.08"), ("720p", "0.14")]), &[6, 8, 10], &["480p", "720p"], ANY),
    row("runway-gen-45", "Runway Gen-4.5", TI, P::Length(&[(5, "0.66"), (8, "1.056"), (10, "1.32")]), &[5, 8, 10], &["1280x720", "720x1280"], ANY),
    own("runwayml-gen4-aleph", "Runway Gen-4 Aleph", V, "0.90", &[5], ANY, FIVE), // OWN
    row("flux-3", "Flux 3", TI, P::SecondBy(&[("720p", "0.17"), ("1080p", "0.29")]), SHORT, HD, FIVE),
    row("happyhorse-1.1", "HappyHorse 1.1", TI, P::Second("0.082"), SHORT, &["720p"], SQUARE),
    Listing { clips: 4, ..own("midjourney-video", "Midjourney Video", I, "1.00", &[5], ANY, ANY) }, // OWN; four videos: wire.md 1.4
    own("bytedance-seedance-upscaler", "Seedance Upscaler", V, "0.40", &[5], &["1080p", "4k"], ANY), // OWN
    own("video-upscaler", "Video Upscaler", V, "0.50", &[5], &["1080p", "4k"], ANY), // OWN
];

/// Models without a length of their own: frames decide.
const ANY_SECONDS: &[u32] = &[];

/// The model of that id.
pub fn listing(id: &str) -> Option<&'static Listing> {
    MODELS.iter().find(|listing| listing.id == id)
}
