# The comparison with Kafka Streams in small: its Java program compiles without a warning, both find what is missing, and
# the code that measures on a broker has no lint.
source .ci/lib.sh

need javac openjdk-17-jdk-headless
need mvn maven

# With the features of the whole workspace: nothing that the tests built is built again.
package=(--quiet --locked --workspace --features settlewatch-benches/kafka --bin settlewatch-benches)
cargo clippy "${package[@]}" -- -D warnings
cargo build "${package[@]}" --bin settlewatch
# JVMs that live for seconds: the client compiler alone.
export JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1
SETTLEWATCH_BIN=$(target_dir)/debug/settlewatch "$(target_dir)/debug/settlewatch-benches" streams small
