# The JSON Schema that `settlewatch schema` prints is one, and says what the program says of each example.
source .ci/lib.sh

dir=$(target_dir)/ci-schema
mkdir -p "$dir"
cargo run --quiet --release --locked -p settlewatch -- schema >"$dir/schema.json"
"$(tools_dir)/bin/python3" .ci/schema.py "$dir/schema.json" examples/*.yaml tests/data/kcat/settlewatch.yaml
for file in examples/*.yaml; do
    cargo run --quiet --release --locked -p settlewatch -- validate --config "$file"
done
