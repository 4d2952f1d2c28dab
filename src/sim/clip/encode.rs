//! Pictures into H.264, one access unit a frame. Knows openh264 and nothing of MP4.

use crate::sim::clip::Shot;
use crate::sim::clip::scene::Scene;
use openh264::OpenH264API;
use openh264::encoder::{Complexity, Encoder, EncoderConfig, FrameRate, IntraFramePeriod, RateControlMode};
use openh264::formats::YUVSlices;

/// A whole encoded clip.
#[derive(Debug)]
pub struct Film {
    /// Sequence parameter set, without a start code.
    pub sps: Vec<u8>,
    /// Picture parameter set, without a start code.
    pub pps: Vec<u8>,
    pub frames: Vec<Frame>,
}

/// One frame: its slices without start codes.
#[derive(Debug)]
pub struct Frame {
    pub nals: Vec<Vec<u8>>,
    pub key: bool,
}

/// NAL unit types that matter here (ISO/IEC 14496-10, table 7-1).
const IDR: u8 = 5;
const SPS: u8 = 7;
const PPS: u8 = 8;

/// Draws and encodes a shot.
pub fn encode(shot: &Shot) -> Result<Film, String> {
    let count = (shot.seconds * shot.fps).max(1) as usize;
    // Off is the one mode that neither drops frames nor prints a warning to stderr, which would
    // smear a terminal; one thread keeps the bytes the same every time.
    let config = EncoderConfig::new()
        .rate_control_mode(RateControlMode::Off)
        .skip_frames(false)
        .complexity(Complexity::Low)
        .scene_change_detect(false)
        .adaptive_quantization(false)
        .background_detection(false)
        .max_frame_rate(FrameRate::from_hz(shot.fps as f32))
        .intra_frame_period(IntraFramePeriod::from_num_frames(shot.fps * 2))
        .num_threads(1);
    let mut encoder =
        Encoder::with_api_config(OpenH264API::from_source(), config).map_err(|error| error.to_string())?;
    let scene = Scene::new(shot, count);
    let mut picture = scene.canvas();
    let mut film = Film { sps: Vec::new(), pps: Vec::new(), frames: Vec::with_capacity(count) };
    for index in 0..count {
        scene.frame(index, &mut picture);
        let half = shot.width / 2;
        let planes =
            YUVSlices::new((&picture.y, &picture.u, &picture.v), (shot.width, shot.height), (shot.width, half, half));
        let stream = encoder.encode(&planes).map_err(|error| error.to_string())?;
        let mut frame = Frame { nals: Vec::new(), key: false };
        for layer in (0..stream.num_layers()).filter_map(|at| stream.layer(at)) {
            for nal in (0..layer.nal_count()).filter_map(|at| layer.nal_unit(at)) {
                film.sort(bare(nal), &mut frame);
            }
        }
        if frame.nals.is_empty() {
            return Err(format!("the encoder dropped frame {index}"));
        }
        film.frames.push(frame);
    }
    if film.sps.len() < 4 || film.pps.is_empty() {
        return Err("the encoder gave no parameter sets".to_owned());
    }
    Ok(film)
}

impl Film {
    fn sort(&mut self, nal: &[u8], frame: &mut Frame) {
        match nal.first().map(|byte| byte & 0x1f) {
            Some(SPS) => self.sps = nal.to_vec(),
            Some(PPS) => self.pps = nal.to_vec(),
            Some(kind) => {
                frame.key |= kind == IDR;
                frame.nals.push(nal.to_vec());
            }
            None => {}
        }
    }

    /// The film as a bare stream with start codes, for decoders.
    #[cfg(test)]
    pub fn annex_b(&self) -> Vec<u8> {
        let slices = self.frames.iter().flat_map(|frame| &frame.nals);
        [&self.sps, &self.pps]
            .into_iter()
            .chain(slices)
            .flat_map(|nal| [&[0, 0, 0, 1], nal.as_slice()].concat())
            .collect()
    }
}

/// A NAL unit without its start code of three or four bytes.
fn bare(nal: &[u8]) -> &[u8] {
    nal.strip_prefix(&[0, 0, 0, 1]).or_else(|| nal.strip_prefix(&[0, 0, 1])).unwrap_or(nal)
}
