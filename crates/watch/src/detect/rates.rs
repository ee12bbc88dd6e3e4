//! How unlikely a count is, most often by bounds that hold for every count.

/// −ln of a bound on the probability that a Poisson variable of mean `mean` reaches `count` (Chernoff 1952):
/// 0 where the count is not above the mean.
pub(crate) fn excess(count: f64, mean: f64) -> f64 {
    if count <= mean || count <= 0.0 {
        return 0.0;
    }
    let mean = mean.max(1e-9);
    count * (count / mean).ln() - (count - mean)
}

/// −ln of a bound on the probability that a Poisson variable of mean `mean` is at most `count`.
pub(crate) fn shortfall(count: f64, mean: f64) -> f64 {
    if count >= mean || mean <= 0.0 {
        return 0.0;
    }
    if count <= 0.0 {
        return mean;
    }
    count * (count / mean).ln() - (count - mean)
}

/// The probability that a Poisson variable of mean `mean` is at most `count`; for a small `count`.
pub(crate) fn at_most(count: u32, mean: f64) -> f64 {
    let mut term = (-mean).exp();
    let mut sum = term;
    for at in 1..=count {
        term *= mean / f64::from(at);
        sum += term;
    }
    sum
}

/// A share that was seen `count` times of `total`, drawn towards `prior` with the weight of `weight` cases.
pub(crate) fn shrunk(count: f64, total: f64, prior: f64, weight: f64) -> f64 {
    (count + prior * weight) / (total + weight)
}

/// Bounds of the share of `count` in `total` at z standard deviations (Wilson 1927).
pub(crate) fn wilson(count: f64, total: f64, z: f64) -> (f64, f64) {
    if total <= 0.0 {
        return (0.0, 1.0);
    }
    let share = count / total;
    let z2 = z * z;
    let centre = share + z2 / (2.0 * total);
    let spread = z * ((share * (1.0 - share) + z2 / (4.0 * total)) / total).sqrt();
    let scale = 1.0 + z2 / total;
    (
        ((centre - spread) / scale).max(0.0),
        ((centre + spread) / scale).min(1.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_grows_with_the_count_and_holds_at_the_mean() {
        assert!(excess(3.0, 3.0).abs() < 1e-12);
        // P(X >= 10) for mean 1 is 1.1e-7.
        let bound = (-excess(10.0, 1.0)).exp();
        assert!((1.1e-7..2e-6).contains(&bound), "{bound}");
        assert!((shortfall(0.0, 5.0) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn wilson_gives_the_textbook_interval() {
        // 10 of 100 at 95 %: 0.0552 to 0.1744.
        let (low, high) = wilson(10.0, 100.0, 1.96);
        assert!(
            (low - 0.0552).abs() < 5e-4 && (high - 0.1744).abs() < 5e-4,
            "{low} {high}"
        );
    }
}
