//! Names of the dimensions and streams: numbers mean something only together with them.

use super::{Keep, Reader, Unreadable, Writer};
use crate::pulse::{DimIndex, Dims};

/// What a dimension or stream of then is now.
#[derive(Default)]
pub(super) struct Renamed {
    /// Dimensions of now, by those of then; `None` where one is not configured any more.
    pub(super) dims: Vec<Option<DimIndex>>,
    /// How many dimensions there are now.
    pub(super) width: usize,
    /// Streams of now, by those of then.
    pub(super) streams: Vec<Option<u8>>,
}

/// Writes the names.
pub(super) fn write(dims: &Dims, streams: &[String], to: &mut Writer) {
    let names: Vec<String> = (0..dims.len()).map(|dim| dims.name(dim)).collect();
    names.write(to);
    streams.to_vec().write(to);
}

impl Renamed {
    /// Reads the names, and finds them among those of now.
    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let dims: Vec<String> = Keep::read(from)?;
        let streams: Vec<String> = Keep::read(from)?;
        let stream = |name: &String| {
            let at = from.streams().iter().position(|known| known == name)?;
            u8::try_from(at).ok()
        };
        Ok(Self {
            dims: dims.iter().map(|name| from.dims().find(name)).collect(),
            width: from.dims().len(),
            streams: streams.iter().map(stream).collect(),
        })
    }
}
