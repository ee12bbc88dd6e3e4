//! Pulses of a lane with other configured attributes, under those of now.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Dims, PulseRecord, STANDARD, Tuple, hash_of};

/// A tuple that was fitted, by the address of the one that it was made of.
type Fitted = BTreeMap<*const Tuple, Arc<Tuple>>;

impl PulseRecord {
    /// The same record, its tuples with the dimensions of now: an attribute that its lane did not send is absent, one
    /// that is not configured any more is dropped.
    #[must_use]
    pub fn fitted(mut self, dims: &Dims) -> Self {
        if self.attrs == dims.attr_names() {
            return self;
        }
        let places: Vec<Option<usize>> = dims
            .attrs()
            .map(|name| self.attrs.iter().position(|known| **known == *name))
            .collect();
        let mut known = Fitted::new();
        let mut fit = |tuple: &mut Arc<Tuple>| {
            let fitted = known
                .entry(Arc::as_ptr(tuple))
                .or_insert_with(|| fit(tuple, &places));
            *tuple = Arc::clone(fitted);
        };
        for pulse in &mut self.pulses {
            pulse.notes.iter_mut().for_each(|it| fit(&mut it.tuple));
            pulse.cases.iter_mut().for_each(|it| fit(&mut it.tuple));
            pulse.legs.iter_mut().for_each(|it| fit(&mut it.tuple));
            pulse.acks.iter_mut().for_each(|it| fit(&mut it.tuple));
        }
        self.attrs = dims.attr_names();
        self
    }
}

fn fit(tuple: &Tuple, places: &[Option<usize>]) -> Arc<Tuple> {
    let standard = tuple.values.iter().take(STANDARD).cloned();
    let attrs = places
        .iter()
        .map(|place| tuple.values.get(STANDARD + (*place)?).cloned().flatten());
    let values: Box<[_]> = standard.chain(attrs).collect();
    let hash = hash_of(values.iter().map(Option::as_deref));
    Arc::new(Tuple { hash, values })
}

#[cfg(test)]
mod tests {
    use settlewatch_join::settings::Dimension;

    use super::super::{Leg, Pulse};
    use super::*;

    #[test]
    fn attributes_are_found_by_their_names() {
        let dims = |names: &[&str]| {
            let dims: Vec<_> = names
                .iter()
                .map(|name| Dimension::parse(name).expect("an attribute"))
                .collect();
            Dims::new(&dims)
        };
        let mut values = vec![None; STANDARD];
        values[0] = Some(Arc::from("wechat"));
        values.extend([Some(Arc::from("a")), Some(Arc::from("b"))]);
        let leg = Leg {
            tuple: Arc::new(Tuple {
                hash: 1,
                values: values.into(),
            }),
            entered_s: 7,
            gateway_ms: Some(5),
        };
        let record = PulseRecord {
            attrs: vec!["lane".into(), "shop".into()],
            pulses: vec![Pulse {
                legs: vec![leg.clone(), leg],
                ..Pulse::default()
            }],
            ..PulseRecord::default()
        };
        let fitted = record.fitted(&dims(&["attrs.shop", "attrs.new"]));
        assert_eq!(
            fitted.attrs,
            dims(&["attrs.shop", "attrs.new"]).attr_names()
        );
        for leg in &fitted.pulses[0].legs {
            assert_eq!(leg.tuple.get(0), Some("wechat"));
            assert_eq!(leg.tuple.get(STANDARD), Some("b"));
            assert_eq!(leg.tuple.get(STANDARD + 1), None);
        }
        let legs = &fitted.pulses[0].legs;
        assert!(Arc::ptr_eq(&legs[0].tuple, &legs[1].tuple), "made once");
    }
}
