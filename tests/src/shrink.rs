//! From a failure to a small failure.

/// Drops as many of `items` as possible while `fails` stays true: first halves, then smaller runs, then
/// single ones, until nothing more can go.
pub fn shrink<T: Clone>(items: &[T], fails: &dyn Fn(&[T]) -> bool) -> Vec<T> {
    let mut kept = items.to_vec();
    let mut run = kept.len().div_ceil(2);
    while run > 0 {
        let before = kept.len();
        let mut start = 0;
        while start < kept.len() {
            let mut fewer = kept.clone();
            fewer.drain(start..(start + run).min(kept.len()));
            if !fewer.is_empty() && fails(&fewer) {
                kept = fewer;
            } else {
                start += run;
            }
        }
        // Single items are tried again for as long as that helps.
        run = if run > 1 {
            run / 2
        } else {
            usize::from(kept.len() < before)
        };
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn what_does_not_matter_is_dropped() {
        let items: Vec<u32> = (0..100).collect();
        let fails = |items: &[u32]| items.contains(&17) && items.contains(&71);
        assert_eq!(shrink(&items, &fails), [17, 71]);
    }
}
