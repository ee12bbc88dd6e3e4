//! Draws what `settlewatch replay --out DIR` wrote: `picture DIR OUT.svg`.

use std::error::Error;
use std::path::Path;

use settlewatch_tests::picture::{Replayed, draw};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, picture] = arguments.as_slice() else {
        return Err("usage: picture DIR OUT.svg".into());
    };
    let read = |name| {
        let path = Path::new(folder).join(name);
        std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let (channels, alerts) = (read("channels.ndjson")?, read("alerts.ndjson")?);
    let replayed = Replayed::read(&channels, &alerts, &read("summary.json")?)?;
    std::fs::write(picture, draw(&replayed))?;
    Ok(())
}
