//! NanoGPT's prices as its catalogue writes them (wire.md 1.9), as far as our shapes can say the same.
//!
//! Knows what each of its many keys means; one key that is not understood makes the whole price
//! unknown, since a price that is nearly right costs money. Must not guess.

mod grid;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::domain::Currency;
use crate::domain::model::{Parameter, ParameterKind};
use crate::domain::price::{Factor, Price, Shape};
use crate::domain::rule::number;

use self::grid::{Grid, amount, fee};

/// Keys that change no price we can state.
const HARMLESS: [&str; 8] = [
    "currency",
    "unit",
    "default_duration",
    "default_resolution",
    "supported_durations",
    "supported_resolutions",
    "max_duration",
    "min_duration",
];
/// The keys for sound that models use (wire.md 1.3).
const AUDIO: [&str; 3] = ["generateAudio", "generate_audio", "sound"];
const PRO: [&str; 2] = ["pro_mode", "pro"];

/// Reads `pricing`.
pub(super) fn price(pricing: &Value, parameters: &[Parameter], as_of: &str) -> Price {
    let mut price = Price::unknown("discovered", as_of);
    let Some(pricing) = pricing.as_object() else { return price };
    if pricing.get("currency").is_some_and(|code| code != "USD") {
        return price;
    }
    let mut reading = Reading { pricing, parameters, left: pricing.keys().map(String::as_str).collect() };
    reading.left.retain(|key| !HARMLESS.contains(key));
    match reading.whole() {
        Some((shape, times, plus, least)) => {
            price = Price { currency: Currency::Usd, shape, times, plus, least, ..price };
        }
        None => price.shape = Shape::Unknown { from: least(pricing, parameters) },
    }
    price
}

/// What is left to read of a price. Every key must be taken by what understands it.
struct Reading<'a> {
    pricing: &'a Map<String, Value>,
    parameters: &'a [Parameter],
    left: BTreeSet<&'a str>,
}

type Whole = (Shape, Vec<Factor>, Vec<Factor>, Option<Decimal>);

impl<'a> Reading<'a> {
    fn whole(&mut self) -> Option<Whole> {
        let least = self.take("minimum").or_else(|| self.take("minimum_price"));
        let least = least.map_or(Some(None), |value| fee(value).map(Some))?;
        let (times, plus) = self.extras()?;
        let shape = self.shape()?;
        self.left.is_empty().then_some((shape, times, plus, least))
    }

    fn shape(&mut self) -> Option<Shape> {
        if self.has("base_price") && self.has("per_extra_second") {
            return Some(Shape::BasePlus {
                base: amount(self.take("base_price")?)?,
                seconds: u32::try_from(self.take("base_duration")?.as_u64()?).ok()?,
                extra: fee(self.take("per_extra_second")?)?,
            });
        }
        let fixed = self.take("fixed_duration_seconds").map_or(Some(None), |value| amount(value).map(Some))?;
        let a_second = self.by_second();
        let grid = match a_second {
            // A length that is fixed is in no request.
            Some(grid) => match fixed.filter(|_| self.own("duration").is_none()) {
                Some(seconds) => grid.times(seconds),
                None => return grid.widest(self.parameters).map(Grid::a_second),
            },
            None => self.by_clip()?,
        };
        grid.widest(self.parameters).map(Grid::a_clip)
    }

    /// Prices a second; `None` where there are none, or one is not clear.
    fn by_second(&mut self) -> Option<Grid> {
        if let Some(base) = self.take("base_price_per_second") {
            return self.multiplied(self.plain(base, "")?);
        }
        if self.has("standard_prices_per_second") {
            let standard = self.take("standard_prices_per_second").and_then(|value| self.plain(value, "resolution"))?;
            let Some(pro) = self.take("pro_prices_per_second") else { return Some(standard) };
            let pro = self.plain(pro, "resolution")?;
            let (name, [off, on]) = self.pro()?;
            return Grid::branch(&name, vec![(off, standard), (on, pro)], self.parameters);
        }
        if let Some(grid) = self.by_input() {
            return Some(grid);
        }
        if let Some(modes) = self.take("per_second_by_mode").or_else(|| self.take("per_second_by_mode_and_resolution"))
        {
            return self.by_mode(modes);
        }
        if let Some(high) = self.take("high_resolution_per_second") {
            // The higher of exactly two resolutions is the high one; of more, nobody says which.
            let low = amount(self.take("per_second")?)?;
            let two = self.own("resolution").map(|p| p.one_of.as_slice()).filter(|options| options.len() == 2)?;
            let mut lines = [lines_of(&two[0])?, lines_of(&two[1])?];
            lines.sort_unstable();
            let rows = [(lines[0].1.clone(), low), (lines[1].1.clone(), amount(high)?)];
            return (lines[0].0 < lines[1].0).then(|| Grid::one("resolution", rows));
        }
        for key in ["per_second", "output_per_second", "per_second_by_resolution"] {
            if let Some(value) = self.take(key) {
                return self.plain(value, "resolution");
            }
        }
        None
    }

    /// Prices that hang on what goes in: text, an image, references (wire.md 1.9, 1.10).
    fn by_input(&mut self) -> Option<Grid> {
        let text = self.side("text_to_video_").or_else(|| self.side("text_image_"));
        let both = text.is_some() && self.pricing.keys().any(|key| key.starts_with("text_image_"));
        let image = self.side("image_to_video_").or_else(|| text.clone().filter(|_| both));
        let image_parameter = self.own("image");
        let grid = match (text, image) {
            (None, None) => return self.side(""),
            (Some(text), Some(image)) if text == image => text,
            (Some(text), _) if image_parameter.is_none() => text,
            (None, Some(image)) if image_parameter.is_some_and(|p| p.required) => image,
            (text, image) => {
                let cases = [("none", text), ("set", image)].into_iter();
                let cases = cases.filter_map(|(key, grid)| Some((key.to_owned(), grid?))).collect();
                Grid::branch("image?", cases, self.parameters)?
            }
        };
        // With references it costs otherwise: a price of its own, or one that is not a second's.
        let moving = self.take("text_to_video_with_reference_video_per_second");
        let a_clip = self.take("reference_prices").is_some();
        let with = moving.map_or(Some(None), |value| self.plain(value, "resolution").map(Some))?;
        let reference = self.reference(if moving.is_some() { "ideo" } else { "mage" });
        match reference.filter(|_| moving.is_some() || a_clip) {
            Some(parameter) => {
                let cases = [("none", Some(grid)), ("set", with)].into_iter();
                let cases = cases.filter_map(|(key, grid)| Some((key.to_owned(), grid?))).collect();
                Grid::branch(&format!("{}?", parameter.name), cases, self.parameters)
            }
            None => Some(grid),
        }
    }

    /// `<input>per_second`, or the pair with and without sound.
    fn side(&mut self, input: &str) -> Option<Grid> {
        let (with, without) = (format!("{input}with_audio_per_second"), format!("{input}without_audio_per_second"));
        if self.has(&with) && self.has(&without) {
            let on = self.take(&with).and_then(|value| self.plain(value, "resolution"))?;
            let off = self.take(&without).and_then(|value| self.plain(value, "resolution"))?;
            let name = self.switch(&AUDIO)?.to_owned();
            return Grid::branch(&name, vec![("true".to_owned(), on), ("false".to_owned(), off)], self.parameters);
        }
        let key = format!("{input}per_second");
        if input.is_empty() {
            return None;
        }
        self.take(&key).and_then(|value| self.plain(value, "resolution"))
    }

    /// Prices a clip.
    fn by_clip(&mut self) -> Option<Grid> {
        if self.has("with_audio") && self.has("without_audio") {
            let on = self.take("with_audio").and_then(|value| self.plain(value, "resolution"))?;
            let off = self.take("without_audio").and_then(|value| self.plain(value, "resolution"))?;
            let name = self.switch(&AUDIO)?.to_owned();
            return Grid::branch(&name, vec![("true".to_owned(), on), ("false".to_owned(), off)], self.parameters);
        }
        if let Some(base) = self.take("base_prices_by_resolution") {
            return self.by_length(self.plain(base, "resolution")?);
        }
        if let Some(base) = self.take("base_price") {
            return self.multiplied(self.plain(base, "")?);
        }
        if let Some(modes) = self.take("per_video_by_mode") {
            return self.by_mode(modes);
        }
        for (key, by) in [("per_video", ""), ("per_duration", "duration"), ("per_resolution", "resolution")] {
            if let Some(value) = self.take(key) {
                return self.plain(value, by);
            }
        }
        None
    }

    /// Prices by resolution for one length, and what other lengths make of them.
    fn by_length(&mut self, base: Grid) -> Option<Grid> {
        let overrides = self.take("duration_overrides");
        let first = self.take("base_duration").map_or(Some(None), |value| amount(value).map(Some))?;
        let lengths: Vec<String> = self
            .own("duration")
            .map(Parameter::choices)
            .unwrap_or_default()
            .iter()
            .map(crate::domain::text::plain)
            .collect();
        let mut grid = if let Some(factors) = self.take("duration_multipliers") {
            base.each_of(&self.plain(factors, "duration")?)
        } else if let Some(factor) = self.take("duration_multiplier").map(amount) {
            // For the longer of exactly two lengths; of more, nobody says which (wire.md 1.10, seedance-video).
            let mut two: Vec<Decimal> = lengths.iter().filter_map(|length| length.parse().ok()).collect();
            two.sort_unstable();
            let [short, long] = two.as_slice() else { return None };
            let factors = Grid::one("duration", [(short.to_string(), Decimal::ONE), (long.to_string(), factor?)]);
            base.each_of(&factors)
        } else {
            match first.filter(|_| lengths.len() > 1) {
                Some(only) => base.each_of(&Grid::one("duration", [(only.normalize().to_string(), Decimal::ONE)])),
                None if lengths.len() > 1 => return None,
                None => base,
            }
        };
        if let Some(overrides) = overrides {
            grid = grid.over(&self.plain(overrides, "duration")?)?;
        }
        Some(grid)
    }

    /// An amount and the factors that resolution and length put on it.
    fn multiplied(&mut self, mut grid: Grid) -> Option<Grid> {
        for (key, by) in [("resolution_multipliers", "resolution"), ("duration_multipliers", "duration")] {
            if let Some(factors) = self.take(key) {
                grid = grid.each_of(&self.plain(factors, by)?);
            }
        }
        Some(grid)
    }

    /// By `mode`: the model's own parameter, or what goes in where the model has none of that name.
    fn by_mode(&self, modes: &Value) -> Option<Grid> {
        if self.own("mode").is_some() {
            return self.plain(modes, "mode");
        }
        let modes = modes.as_object().filter(|modes| !modes.is_empty())?;
        let mut inputs: Vec<(&str, String)> = Vec::new();
        for (word, found) in
            [("image", self.own("image")), ("reference", self.reference("")), ("video", self.own("video"))]
        {
            inputs.extend(found.map(|parameter| (word, format!("{}?", parameter.name))));
        }
        let mut grid: Option<Grid> = None;
        for (mode, value) in modes {
            let mode = mode.replace('-', "_");
            let wants = match mode.as_str() {
                "text_to_video" => "text",
                "image_to_video" => "image",
                "video_edit" | "video_to_video" => "video",
                other if other.starts_with("reference_to_video") => "reference",
                _ => return None,
            };
            if wants != "text" && inputs.iter().all(|(word, _)| *word != wants) {
                continue;
            }
            let mut row = self.plain(value, "resolution")?;
            for (word, name) in inputs.iter().rev() {
                let given = if *word == wants { "set" } else { "none" };
                row = Grid::branch(name, vec![(given.to_owned(), row)], self.parameters)?;
            }
            grid = Some(match grid {
                None => row,
                Some(grid) => grid.or_dearer(row)?,
            });
        }
        grid
    }

    /// Factors and fees that hang on a switch or an input; `None` where one has nothing to hang on.
    fn extras(&mut self) -> Option<(Vec<Factor>, Vec<Factor>)> {
        let on = |name: &str, values: Vec<Value>| BTreeMap::from([(name.to_owned(), values)]);
        let (mut times, mut plus) = (Vec::new(), Vec::new());
        for (key, names) in [("audio_multiplier", AUDIO.as_slice()), ("pro_multiplier", PRO.as_slice())] {
            if let Some(factor) = self.take(key) {
                let when = on(self.switch(names)?, vec![Value::Bool(true)]);
                times.push(Factor { amount: amount(factor)?, when, ..Factor::default() });
            }
        }
        if let Some(factor) = self.take("frame_multiplier") {
            let threshold = self.take("frame_threshold").and_then(fee)?;
            let frames = self.own("num_frames")?;
            let mut more = frames.choices();
            let known = !more.is_empty();
            more.retain(|frames| number(frames).is_some_and(|n| n > threshold));
            times.push(Factor { amount: amount(factor)?, when: on(&frames.name, more), ..Factor::default() });
            if !known {
                return None;
            }
        }
        if let Some(fee) = self.take("image_input_fee").map(fee) {
            let (fee, image, more) = (fee?, self.own("image"), self.reference("mage"));
            if image.is_none() && more.is_none() {
                return None;
            }
            plus.extend(image.map(|p| Factor {
                amount: fee,
                when: on(&p.name, vec!["set".into()]),
                ..Factor::default()
            }));
            plus.extend(more.map(|p| for_each(fee, p, 0)));
        }
        if let Some(fee) = self.take("extra_reference_image").map(fee) {
            let beyond = self.take("included_reference_images").map_or(Some(0), Value::as_u64)?;
            let (fee, beyond) = (fee?, u32::try_from(beyond).unwrap_or(u32::MAX));
            plus.extend(self.reference("mage").map(|p| for_each(fee, p, beyond)));
        }
        Some((times, plus))
    }

    fn has(&self, key: &str) -> bool {
        self.left.contains(key)
    }

    fn take(&mut self, key: &str) -> Option<&'a Value> {
        if self.left.remove(key) { self.pricing.get(key) } else { None }
    }

    fn plain(&self, value: &Value, by: &str) -> Option<Grid> {
        Grid::read(value, by, self.parameters)
    }

    fn own(&self, name: &str) -> Option<&'a Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// The parameter that takes several references, of pictures (`mage`), clips (`ideo`) or any.
    fn reference(&self, what: &str) -> Option<&'a Parameter> {
        let fits = |p: &&Parameter| p.kind == ParameterKind::Links && p.wire_key().contains(what);
        self.parameters.iter().find(fits)
    }

    /// The one switch of these names; two would leave open which one the price means.
    fn switch(&self, names: &[&str]) -> Option<&'a str> {
        let fits = |p: &&Parameter| p.kind == ParameterKind::Boolean && names.contains(&p.wire_key());
        let mut found = self.parameters.iter().filter(fits);
        let only = found.next()?;
        found.next().is_none().then_some(only.name.as_str())
    }

    /// What chooses between standard and pro, with its two values: a switch, or a choice of words.
    fn pro(&self) -> Option<(String, [String; 2])> {
        if let Some(name) = self.switch(&PRO) {
            return Some((name.to_owned(), ["false".to_owned(), "true".to_owned()]));
        }
        self.parameters.iter().find_map(|p| {
            let word = |words: &[&str]| {
                let options = p.one_of.iter().map(crate::domain::text::plain);
                options.into_iter().find(|option| words.contains(&option.to_ascii_lowercase().as_str()))
            };
            Some((p.name.clone(), [word(&["standard", "std"])?, word(&["pro"])?]))
        })
    }
}

/// A fee for each link of a list, the first ones free.
fn for_each(amount: Decimal, of: &Parameter, beyond: u32) -> Factor {
    Factor { amount, each: Some(of.name.clone()), beyond, ..Factor::default() }
}

/// A resolution's number of lines, to tell the higher of two, and its own text.
fn lines_of(option: &Value) -> Option<(u32, String)> {
    let text = crate::domain::text::plain(option);
    let digits = text.trim_end_matches(['p', 'P']).parse().ok()?;
    Some((digits, text))
}

/// The least one clip can cost by a price that is not understood: what the service calls its
/// minimum, or the smallest amount a second in it for the shortest length.
fn least(pricing: &Map<String, Value>, parameters: &[Parameter]) -> Option<Decimal> {
    if let Some(least) = ["minimum", "minimum_price"].iter().find_map(|key| pricing.get(*key)).and_then(amount) {
        return Some(least);
    }
    let raw = pricing.get("raw")?.as_object()?;
    let seconds = raw.iter().filter(|(key, _)| key.ends_with("PricesPerSecond")).flat_map(|(_, table)| amounts(table));
    let least = seconds.min()?;
    let length = parameters.iter().find(|p| p.name == "duration")?;
    let shortest = length.choices().iter().filter_map(number).min().or(length.range.map(|range| range.min))?;
    Some(least.checked_mul(shortest)?.normalize()).filter(|least| least.is_sign_positive())
}

fn amounts(value: &Value) -> Vec<Decimal> {
    match value {
        Value::Object(rows) => rows.values().flat_map(amounts).collect(),
        one => amount(one).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
