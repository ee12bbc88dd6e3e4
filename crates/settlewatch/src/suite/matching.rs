//! Which alert answers which expectation: as many as possible, each once.

/// For each of `expected` the index of its alert. `fits(expected, alert)` says which may answer; augmenting paths
/// find the largest matching (Kuhn 1955), so the order of the file does not decide who fails.
pub(crate) fn largest(
    expected: usize,
    alerts: usize,
    fits: impl Fn(usize, usize) -> bool,
) -> Vec<Option<usize>> {
    let mut owner: Vec<Option<usize>> = vec![None; alerts];
    for one in 0..expected {
        let mut seen = vec![false; alerts];
        augment(one, &fits, &mut owner, &mut seen);
    }
    let mut answers = vec![None; expected];
    for (alert, owner) in owner.iter().enumerate() {
        if let Some(owner) = owner {
            answers[*owner] = Some(alert);
        }
    }
    answers
}

fn augment(
    one: usize,
    fits: &impl Fn(usize, usize) -> bool,
    owner: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    for alert in 0..owner.len() {
        if seen[alert] || !fits(one, alert) {
            continue;
        }
        seen[alert] = true;
        let free = match owner[alert] {
            None => true,
            Some(other) => augment(other, fits, owner, seen),
        };
        if free {
            owner[alert] = Some(one);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vague_expectation_leaves_the_alert_that_a_strict_one_needs() {
        // The first may be answered by either, the second by alert 0 alone.
        let fits = |one: usize, alert: usize| one == 0 || alert == 0;
        assert_eq!(largest(2, 2, fits), [Some(1), Some(0)]);
        assert_eq!(largest(1, 0, |_, _| true), [None]);
    }
}
