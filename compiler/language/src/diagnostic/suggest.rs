//! "Did you mean": the nearest of the names that would have been right.

/// The candidate nearest to `found`, if it is near enough to be a likely typo: at most a third of its letters differ
/// (restricted Damerau-Levenshtein distance), or it differs in case only.
pub fn did_you_mean<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (found.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|c| *c != found)
        .map(|c| (if c.eq_ignore_ascii_case(found) { 0 } else { distance(found, c) }, c))
        .filter(|(d, c)| *d <= limit && *d < c.chars().count().max(found.chars().count()))
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(b.1)))
        .map(|(_, c)| c)
}

/// ``a``, `b` and `c`` for a message; past `most` names the rest is counted.
pub fn list_names<'a>(names: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown: Vec<String> = names.iter().take(most).map(|n| format!("`{n}`")).collect();
    match (names.len(), shown.as_slice()) {
        (0, _) => "none".to_string(),
        (n, _) if n > most => format!("{} and {} more", shown.join(", "), n - most),
        (_, [one]) => one.clone(),
        (_, [init @ .., last]) => format!("{} and {last}", init.join(", ")),
        (_, []) => "none".to_string(),
    }
}

/// Restricted Damerau-Levenshtein distance: insertions, deletions, substitutions and swaps of neighbours cost one each.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = last;
        last = row;
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_name_and_nothing_far() {
        assert_eq!(did_you_mean("wieght", ["weight", "delay"]), Some("weight"));
        assert_eq!(did_you_mean("delta", ["Delta", "eta"]), Some("Delta"));
        assert_eq!(did_you_mean("x", ["y"]), None);
        assert_eq!(did_you_mean("banana", ["weight"]), None);
        assert_eq!(list_names(["a", "b", "c"], 8), "`a`, `b` and `c`");
        assert_eq!(list_names(["a", "b", "c"], 2), "`a`, `b` and 1 more");
    }
}
