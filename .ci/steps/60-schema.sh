# The JSON Schema that `settlewatch schema` prints is one, and says what the program says of each example; the example's
# own unit tests pass.
source .ci/lib.sh

dir=$(target_dir)/ci-schema
mkdir -p "$dir"
cargo run --quiet --release --locked -p settlewatch -- schema >"$dir/schema.json"
configurations=(examples/settlewatch.yaml examples/recording/settlewatch.yaml)
"$(tools_dir)/bin/python3" .ci/schema.py "$dir/schema.json" "${configurations[@]}" tests/data/kcat/settlewatch.yaml
cargo run --quiet --release --locked -p settlewatch -- validate --config examples/settlewatch.yaml
cargo run --quiet --release --locked -p settlewatch -- validate --replay --config examples/recording/settlewatch.yaml
cargo run --quiet --release --locked -p settlewatch -- test examples/settlewatch-test.yaml
