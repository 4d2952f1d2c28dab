//! What the services' documents advise on prompts and on spending, as a table.
//!
//! Knows their words. Must not know where they are shown.

/// What a prompt is made of (seed 000, prompt writing tips).
pub const FORMULA: &str = "camera movement + subject action + style + lighting";

/// A prompt as it should not be, and as it should.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Weak.
    pub weak: &'static str,
    /// Strong.
    pub strong: &'static str,
}

/// Weak and strong prompts (seed 000, prompt writing tips).
pub const EXAMPLES: &[Example] = &[
    Example {
        weak: "mountains",
        strong: "Drone shot slowly ascending over a misty mountain valley at golden hour, camera reveals a river below, cinematic",
    },
    Example {
        weak: "ocean",
        strong: "Underwater camera glides through a coral reef, bioluminescent creatures pulse with light, slow motion, nature documentary",
    },
];

/// Pieces of advice under one heading.
#[derive(Clone, Copy, Debug)]
pub struct Advice {
    /// What it is about.
    pub about: &'static str,
    /// The advice, and who gives it.
    pub tips: &'static [(&'static str, &'static str)],
}

/// Advice by subject: seed 000 (NinjaChat), seed 002 (NanoGPT, best practices), seed 004 (A4F, using resources responsibly).
pub const ADVICE: &[Advice] = &[
    Advice {
        about: "The prompt",
        tips: &[
            ("Describe the video: include camera movement, action, style.", "NinjaChat"),
            ("Be specific and descriptive; include motion and camera directions.", "NanoGPT"),
            ("Optimize prompts before generating, so that fewer attempts fail.", "A4F"),
            ("Avoid violations of the content policy.", "NanoGPT"),
        ],
    },
    Advice {
        about: "The model",
        tips: &[
            ("Text to video for creative generation, image to video to animate what is there.", "NanoGPT"),
            ("Start with lighter models for testing and iteration.", "A4F"),
            ("Use premium models only when high quality output is truly necessary.", "A4F"),
            ("Consider cost against quality.", "NanoGPT"),
        ],
    },
    Advice {
        about: "The money",
        tips: &[
            ("Use shorter durations for testing.", "NanoGPT"),
            ("Use shorter durations when possible.", "A4F"),
            ("Check the balance and estimate the cost before generating.", "NanoGPT"),
        ],
    },
];
