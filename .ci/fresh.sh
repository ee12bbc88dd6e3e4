#!/usr/bin/env bash
# The release, built and tried on a machine that has nothing but what the README asks for.
#
# usage: .ci/fresh.sh           into the target folder of all other steps, with the crates that were fetched
#        .ci/fresh.sh --cold    a fresh clone, everything anew, the crates fetched too
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source .ci/lib.sh
source .ci/minimal.sh

# Crates with C code: their builds are what could need more than the README says.
with_c=(rdkafka-sys openssl-sys libz-sys zstd-sys)

machine=$(mktemp -d)
trap 'rm -rf "$machine"' EXIT
link_programs "$machine/bin" $(readme_packages build)
for program in python3 java mvn git cmake pkg-config openssl; do
    [[ ! -e $machine/bin/$program ]] || die "$program is among the programs of a fresh machine"
done
echo "$(find "$machine/bin" -type l | wc -l) programs, among them no Python, Java, git, cmake, pkg-config, openssl"

if [[ ${1:-} == --cold ]]; then
    git clone --quiet . "$machine/clone"
    cd "$machine/clone"
    unset CARGO_TARGET_DIR
    MINIMAL_CACHES=
fi
target=$(target_dir)

# With these versions it was proven before that what is missing is named, and that the C code is built like that.
proven=$target/ci-fresh-$(cat Cargo.lock .ci/fresh.sh .ci/minimal.sh <(readme_packages build) | sha256sum | cut -c1-12)
if [[ ! -e $proven ]]; then
    build_tls="CARGO_TARGET_DIR=$machine/missing cargo build --locked -p openssl-sys"
    without "$machine" cc "$build_tls" 'linker `cc` not found'
    without "$machine" perl "$build_tls" "Command 'perl' not found. Is perl installed?"
    without "$machine" make "$build_tls" "Command 'make' not found. Is make installed?"
    [[ ! -d $target/release ]] || cargo clean --quiet --release $(printf -- '-p %s ' "${with_c[@]}")
fi

began=$SECONDS
in_minimal "$machine" 'cargo build --release --locked' >"$machine/build" 2>&1 ||
    { tail -n 60 "$machine/build" >&2; die "the build failed"; }
built=$((SECONDS - began))
size=$(stat -c %s "$target/release/settlewatch")
echo "release: $(grep -c Compiling "$machine/build" || true) crates built in $built s, binary $((size / 1000000)) MB"
[[ $size -le ${BINARY_BYTES:-60000000} ]] || die "the binary is larger than ${BINARY_BYTES:-60000000} bytes"

command=$(readme_command 'cargo run --release -- demo')
[[ $command == 'cargo run --release -- demo' ]] || die "the README's first command is: $command"
in_minimal "$machine" "$command --headless --for 20s" >"$machine/demo" 2>&1 ||
    { tail -n 40 "$machine/demo" >&2; die "the demo failed"; }
tail -n 12 "$machine/demo"
if [[ ${1:-} == --cold ]]; then
    in_minimal "$machine" "$(readme_command 'cargo run --release -- replay')" | tail -n 5
fi
touch "$proven"
