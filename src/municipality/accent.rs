//! A municipality's accent colour: one colour that people read on white, and its counterpart for dark pages.
//!
//! Read as `#rrggbb` only, so that nothing else can come into a style sheet; refused when text in it could not be read
//! on white (WCAG 2.2, 1.4.3: contrast 4.5 to 1).

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// Least contrast of text (WCAG 2.2, 1.4.3).
const READABLE: f64 = 4.5;
/// What a dark page is made on.
const DARK: [u8; 3] = [0x16, 0x1b, 0x22];

/// A colour that is readable on white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Accent([u8; 3]);

impl Accent {
    /// The colour on light ground, `#rrggbb`.
    #[must_use]
    pub fn on_light(self) -> String {
        Colour(self.0).to_string()
    }

    /// The colour lightened until it is readable on dark ground, `#rrggbb`.
    #[must_use]
    pub fn on_dark(self) -> String {
        let lightened = |share: u16| {
            self.0.map(|part| {
                let (part, share) = (u16::from(part), share.min(100));
                u8::try_from(part + (255 - part) * share / 100).unwrap_or(u8::MAX)
            })
        };
        let found = (0..=100).step_by(5).map(lightened).find(|colour| contrast(*colour, DARK) >= READABLE + 1.0);
        Colour(found.unwrap_or([255; 3])).to_string()
    }
}

struct Colour([u8; 3]);

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl TryFrom<String> for Accent {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || "a colour is written as # and six hexadecimal digits: write for example \"#0b5d3b\"".to_owned();
        let digits =
            text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii()).ok_or_else(wrong)?;
        let mut colour = [0; 3];
        for (nth, part) in colour.iter_mut().enumerate() {
            *part = u8::from_str_radix(&digits[nth * 2..nth * 2 + 2], 16).map_err(|_| wrong())?;
        }
        if contrast(colour, [255; 3]) < READABLE {
            return Err(format!("text in the colour {text} is hard to read on white: write a darker one"));
        }
        Ok(Self(colour))
    }
}

/// Contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let luminance = |colour: [u8; 3]| {
        let [red, green, blue] = colour.map(|part| {
            let share = f64::from(part) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126f64.mul_add(red, 0.7152f64.mul_add(green, 0.0722 * blue))
    };
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_readable_on_both_grounds() {
        for text in ["#0b5d3b", "#000000", "#7a1f5c", "#0000ff"] {
            let accent = Accent::try_from(text.to_owned()).unwrap();
            assert_eq!(accent.on_light(), text);
            let dark = accent.on_dark();
            let part = |at: usize| u8::from_str_radix(&dark[at..at + 2], 16).unwrap();
            assert!(contrast([part(1), part(3), part(5)], DARK) >= READABLE, "{text}: {dark}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["#ffffff", "#ffd700", "red", "#12345", "#1234567", "#12345g", "#0b5d3b;}body{", "", "#äää"] {
            assert!(Accent::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
