# Incidents against the truth: a sample of the causes and a clean hour, by the bars of the whole suite.
source .ci/lib.sh

# The long form: `cargo run --release -p settlewatch-tests --bin evaluate -- --seeds 20 --clean-hours 50`.
cargo run -q --release --locked -p settlewatch-tests --bin evaluate -- --seeds 1 --clean-hours 1 --jobs 2 --misses \
    --scenario channel-stopped,channel-slowed,gateway-delay,network-region,terminal-release-fault,interface-fault,balance-insufficient,currency-mismatch,channel-peak,maintenance,campaign
