//! Writes the pages of `docs/reference` anew.

use settlewatch_tests::harness::root;
use settlewatch_tests::pages::pages;

fn main() -> std::io::Result<()> {
    let folder = root().join("docs/reference");
    std::fs::create_dir_all(&folder)?;
    for (name, text) in pages() {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}
