//! Did you mean …?

use crate::table;

/// The remedy for a name that is none of `names`.
pub(crate) fn remedy<S: AsRef<str>>(wrong: &str, names: &[S], what: &str) -> String {
    let all = match names {
        [] => format!("there are no {what}"),
        _ => format!("{what}: {}", table::list(names.iter().map(AsRef::as_ref))),
    };
    match nearest(wrong, names) {
        Some(near) => format!(
            "did you mean `{near}`? {}{}",
            all[..1].to_uppercase(),
            &all[1..]
        ),
        None => all,
    }
}

/// The name that is nearest to `wrong`, if any is near.
pub(crate) fn nearest<'n, S: AsRef<str>>(wrong: &str, names: &'n [S]) -> Option<&'n str> {
    let wrong = wrong.to_lowercase();
    let allowed = (wrong.chars().count() / 3).max(1);
    let distances = names.iter().map(|name| {
        (
            distance(&wrong, &name.as_ref().to_lowercase()),
            name.as_ref(),
        )
    });
    distances
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Edits between two words: insertions, deletions, substitutions, swaps of neighbours
/// (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitution = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
