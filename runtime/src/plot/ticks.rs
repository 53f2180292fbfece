//! Round numbers along an axis.

/// Fewer marks than this do not tell the scale.
const FEWEST: usize = 3;

/// Marks of an axis: places and what is written there. There are about so many intervals as asked for, and more where
/// otherwise hardly any mark would be within the limits.
pub fn ticks(lowest: f64, highest: f64, intervals: usize) -> Vec<(f64, String)> {
    let mut step = step(highest - lowest, intervals);
    let mut range = multiples(lowest, highest, step);
    for more in intervals + 1..=2 * intervals.max(2) {
        if range.1 - range.0 + 1.0 >= FEWEST as f64 {
            break;
        }
        step = self::step(highest - lowest, more);
        range = multiples(lowest, highest, step);
    }
    let count = (range.1 - range.0).clamp(0.0, 1e3) as usize;
    let places: Vec<f64> = (0..=count).map(|index| (range.0 + index as f64) * step).collect();
    let largest = places.iter().fold(0.0, |largest: f64, place| largest.max(place.abs()));
    places.into_iter().map(|place| (place, spelling(place, step, largest))).collect()
}

/// First and last multiple of the step within the limits; the margin is for rounding.
fn multiples(lowest: f64, highest: f64, step: f64) -> (f64, f64) {
    ((lowest / step - 1e-6).ceil(), (highest / step + 1e-6).floor())
}

/// The smallest of 1, 2, 5 times a power of ten that gives no more than so many intervals.
fn step(span: f64, at_most: usize) -> f64 {
    let rough = span / at_most.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    // The margin keeps 0.1 + 0.2 kind of rounding from skipping the step that fits exactly.
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// As many digits as the step needs; a power of ten where plain digits would be long.
fn spelling(place: f64, step: f64, largest: f64) -> String {
    let digits_of_step = (step.log10() + 1e-9).floor() as i32;
    if place == 0.0 || place.abs() < step * 1e-6 {
        return "0".into();
    }
    let text = if (1e-3..1e6).contains(&largest) {
        format!("{place:.*}", digits_of_step.min(0).unsigned_abs() as usize)
    } else {
        let power = (place.abs().log10() + 1e-9).floor() as i32;
        format!("{place:.*e}", (power - digits_of_step).max(0) as usize)
    };
    text.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    fn spelled(lowest: f64, highest: f64) -> Vec<String> {
        super::ticks(lowest, highest, 5).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn marks_are_round_and_have_the_digits_they_need() {
        assert_eq!(spelled(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(spelled(-3.2, 9.1), ["−2", "0", "2", "4", "6", "8"]);
        assert_eq!(spelled(-70.0, 30.0), ["−60", "−40", "−20", "0", "20"]);
        assert_eq!(spelled(0.0, 3e-7), ["0", "1e−7", "2e−7", "3e−7"]);
        assert_eq!(spelled(1e9, 1.04e9), ["1.00e9", "1.01e9", "1.02e9", "1.03e9", "1.04e9"]);
    }

    #[test]
    fn every_span_has_a_few_marks() {
        for power in -300..300 {
            let unit = 10f64.powi(power);
            for (lowest, highest) in [(0.0, 1.7), (-9.3, 0.4), (3.0, 3.5), (99.0, 100.0)] {
                let count = super::ticks(lowest * unit, highest * unit, 5).len();
                assert!((3..=10).contains(&count), "{lowest} {highest} 1e{power}: {count}");
            }
        }
    }
}
