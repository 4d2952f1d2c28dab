//! A simulator to run samples against, and the languages they are written in.

use rushes::sim::{NANOGPT_KEY, NINJACHAT_KEY, SimOptions, Simulator};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// A real picture, eight grey pixels square; the documents elide theirs.
pub const JPEG: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z";

/// A language of the samples: its program, file ending and prelude, and a command that tells
/// whether everything it needs is there.
pub struct Language {
    program: &'static str,
    ending: &'static str,
    prelude: &'static str,
    check: &'static [&'static str],
}

/// Python with requests.
pub const PYTHON: Language = Language {
    program: "python3",
    ending: "py",
    prelude: include_str!("prelude.py"),
    check: &["python3", "-c", "import requests"],
};

/// Bash with curl and jq.
pub const SHELL: Language = Language {
    program: "bash",
    ending: "sh",
    prelude: include_str!("prelude.sh"),
    check: &["bash", "-c", "command -v curl && command -v jq"],
};

/// Node with its own fetch.
pub const NODE: Language =
    Language { program: "node", ending: "mjs", prelude: include_str!("prelude.mjs"), check: &["node", "-e", "fetch"] };

impl Language {
    /// Whether samples of this language can run here.
    pub fn is_there(&self) -> bool {
        let (program, arguments) = self.check.split_first().unwrap();
        let checked = Command::new(program).args(arguments).output();
        if checked.is_ok_and(|output| output.status.success()) {
            return true;
        }
        skip(&format!("{:?}", self.check));
        false
    }
}

/// Says loudly that a test was skipped for want of a tool; fails it where CI runs.
pub fn skip(what: &str) {
    println!("SKIP: {what} does not work here; see tests/samples/install.sh");
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI runs every sample");
}

/// A simulator on which a minute passes in half a second, so that samples poll a few times.
pub struct Stage {
    pub simulator: Simulator,
    pub client: reqwest::Client,
    folder: tempfile::TempDir,
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn at(speed: f64) -> Self {
        Self::with(|options| options.speed = speed).await
    }

    pub async fn with(change: impl FnOnce(&mut SimOptions)) -> Self {
        let mut options = SimOptions { speed: 120.0, cheap_clips: true, ..SimOptions::default() };
        change(&mut options);
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            simulator: Simulator::start(options).await.unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The sample with its host, key and picture put in; nothing else is changed.
    pub fn put_in(&self, sample: &str) -> String {
        let url = self.simulator.url();
        sample
            .replace("https://ninjachat.ai", &format!("{url}/ninjachat"))
            .replace("https://nano-gpt.com", &format!("{url}/nanogpt"))
            .replace("<token>", NINJACHAT_KEY)
            .replace("YOUR_API_KEY", NANOGPT_KEY)
            .replace("/9j/4AAQ...", JPEG)
            .replace("data:image/...", &format!("data:image/jpeg;base64,{JPEG}"))
    }

    /// Runs prelude, sample and the lines after it; returns what it printed. `None`: skipped.
    pub async fn run(&self, language: &Language, sample: &str, after: &str) -> Option<String> {
        if !language.is_there() {
            return None;
        }
        let text = format!("{}{}{after}", language.prelude, self.put_in(sample));
        let file = self.path(&format!("sample.{}", language.ending));
        std::fs::write(&file, &text).unwrap();
        std::fs::write(self.path("picture.jpg"), decode(JPEG)).unwrap();
        let mut command = Command::new(language.program);
        command
            .arg(&file)
            .current_dir(self.folder.path())
            .env("NINJACHAT_API_KEY", NINJACHAT_KEY)
            .env("SAMPLE_ORIGIN", format!("{}/nanogpt", self.simulator.url()))
            .env("SAMPLE_KEY", NANOGPT_KEY)
            .env("NO_PROXY", "*")
            .env("no_proxy", "*");
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.unwrap().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the sample failed:\n{printed}\n{errors}\n{text}");
        Some(printed)
    }

    pub async fn ask(&self, path: &str) -> Value {
        let response = self.client.get(format!("{}{path}", self.simulator.url()));
        let text = response.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub async fn orders(&self) -> Vec<Value> {
        self.ask("/_sim/orders").await.as_array().unwrap().clone()
    }

    /// Checks that the clip behind a printed link is the one in the book.
    pub async fn assert_delivered(&self, link: &str, order: usize) {
        let response = self.client.get(link).send().await.unwrap();
        assert_eq!(response.status(), 200, "{link}");
        let bytes = response.bytes().await.unwrap();
        assert_eq!(&bytes[4..8], b"ftyp");
        let orders = self.orders().await;
        assert_eq!(orders[order]["sha256"], sha256(&bytes));
        assert_eq!(orders[order]["state"], "completed");
    }
}

/// Bytes out of base64.
pub fn decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The rest of the first line that starts so.
pub fn after<'a>(printed: &'a str, start: &str) -> &'a str {
    let line = printed.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or_else(|| panic!("no line starts with {start:?} in:\n{printed}"))
}
