# Lints: no warning in any target.
source .ci/lib.sh

cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
