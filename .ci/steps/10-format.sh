# Formatting: rustfmt's default style.
source .ci/lib.sh

cargo fmt --all --check
