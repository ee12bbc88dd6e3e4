# Fuzzing: each target of the wire crate for a while, from its corpus, on the stable compiler.
source .ci/lib.sh

seconds=${FUZZ_SECONDS:-30}
fuzz_dir=crates/wire/fuzz
[[ -e $fuzz_dir/Cargo.toml ]] || die "$fuzz_dir is missing"

PATH=$(tools_dir)/bin:$PATH
# cargo-fuzz asks for sanitizers, which the stable compiler has behind this variable.
export PATH RUSTC_BOOTSTRAP=1
targets=$(cargo fuzz list --fuzz-dir "$fuzz_dir")
[[ -n $targets ]] || die "no fuzz target"
for target in $targets; do
    corpus=$fuzz_dir/corpus/$target
    [[ -d $corpus && -n $(ls -A "$corpus") ]] || die "$corpus is missing or empty"
    # New inputs go to the first folder; the corpus of the clone stays as it is.
    found=$(target_dir)/fuzz-found/$target
    mkdir -p "$found"
    cargo fuzz run --fuzz-dir "$fuzz_dir" "$target" "$found" "$corpus" -- \
        -max_total_time="$seconds" -print_final_stats=1 2>&1 | tail -n 25
done
