//! Long traces in few points.

/// Splits a trace at gaps and keeps, of the points that fall into one step of `x`, the first, the lowest, the highest and
/// the last: the line drawn covers the same pixels. Points come as (x, y) in pixels, with NaN for a gap.
pub fn traces(points: impl Iterator<Item = (f64, f64)>, step: f64) -> Vec<Vec<(f64, f64)>> {
    let mut traces = Vec::new();
    let mut trace = Vec::new();
    let mut bin = Bin::default();
    for (x, y) in points {
        if !(x.is_finite() && y.is_finite()) {
            bin.flush(&mut trace);
            if !trace.is_empty() {
                traces.push(std::mem::take(&mut trace));
            }
            continue;
        }
        let index = (x / step).floor();
        if bin.points.is_empty() || bin.index != index {
            bin.flush(&mut trace);
            bin.index = index;
        }
        bin.push((x, y));
    }
    bin.flush(&mut trace);
    if !trace.is_empty() {
        traces.push(trace);
    }
    traces
}

/// The points of one step, reduced as they come to those that are kept.
#[derive(Default)]
struct Bin {
    index: f64,
    /// First, then up to three of lowest, highest, last in order of appearance.
    points: Vec<(f64, f64)>,
}

impl Bin {
    fn push(&mut self, point: (f64, f64)) {
        self.points.push(point);
        if self.points.len() <= 4 {
            return;
        }
        let inner = 1..self.points.len() - 1;
        let height = |index: &usize| self.points[*index].1;
        let lowest = inner.clone().min_by(|a, b| height(a).total_cmp(&height(b)));
        let highest = inner.clone().max_by(|a, b| height(a).total_cmp(&height(b)));
        let last = self.points.len() - 1;
        let mut index = 0;
        self.points.retain(|_| {
            let kept = index == 0 || index == last || Some(index) == lowest || Some(index) == highest;
            index += 1;
            kept
        });
    }

    fn flush(&mut self, trace: &mut Vec<(f64, f64)>) {
        trace.append(&mut self.points);
    }
}

#[cfg(test)]
mod tests {
    use super::traces;

    #[test]
    fn one_spike_among_a_million_samples_stays() {
        let spike = |index: usize| {
            if index == 765_432 { 100.0 } else { (index % 7) as f64 }
        };
        let kept = traces((0..1_000_000).map(|index| (index as f64 * 7e-4, spike(index))), 1.0);
        assert_eq!(kept.len(), 1);
        assert!(kept[0].len() <= 4 * 700);
        assert!(kept[0].contains(&(765_432.0 * 7e-4, 100.0)));
        assert!(kept[0].is_sorted_by(|a, b| a.0 <= b.0));
    }

    #[test]
    fn gaps_split_a_trace_and_few_points_all_stay() {
        let values = [1.0, 2.0, f64::NAN, 3.0, f64::INFINITY, f64::NAN, 4.0, 5.0, 6.0];
        let kept = traces(values.iter().enumerate().map(|(index, &y)| (index as f64 * 0.1, y)), 1.0);
        let heights: Vec<Vec<f64>> = kept.iter().map(|trace| trace.iter().map(|point| point.1).collect()).collect();
        assert_eq!(heights, [vec![1.0, 2.0], vec![3.0], vec![4.0, 5.0, 6.0]]);
    }
}
