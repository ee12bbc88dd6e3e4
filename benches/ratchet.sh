#!/usr/bin/env bash
# Instructions an event, for decoding and for the join, held against benches/ratchet.txt.
#
#   benches/ratchet.sh            fails when either takes over 3 % more than recorded
#   benches/ratchet.sh --record   writes what was counted into benches/ratchet.txt
#
# Counted by callgrind inside the measured functions alone; of two lengths of run the difference counts, so that
# neither the start nor the warming up does. The same binary gives the same count on every run of a machine. Another
# Rust version compiles differently, and another processor has another memcpy (callgrind follows what the C library
# chooses for it): either moves the counts by a per cent or so, which is what the tolerance is for.
set -euo pipefail
cd "$(dirname "$0")/.."

tolerance_per_cent=3
recorded=benches/ratchet.txt

die() {
    echo "ratchet: $*" >&2
    exit 1
}

# count WHAT FUNCTION EVENTS: "EVENTS-MEASURED INSTRUCTIONS" of one run.
count() {
    local log
    log=$(mktemp)
    # The measured names carry the crate's path before them and a hash after them.
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect="*$2*" --log-file="$log" \
        "$binary" instructions "$1" "$3" | tr '\n' ' ' || die "callgrind failed; it said: $(cat "$log")"
    awk '/Collected :/ { print $NF }' "$log"
    rm -f "$log"
}

# per_event WHAT FUNCTION SHORT LONG: instructions an event, by the difference of the two lengths.
per_event() {
    local short long
    short=$(count "$1" "$2" "$3")
    long=$(count "$1" "$2" "$4")
    awk -v what="$1" -v short="$short" -v long="$long" 'BEGIN {
        split(short, s); split(long, l)
        if (l[1] <= s[1] || l[2] <= s[2] || s[2] == 0) exit 1
        printf "%s %.0f\n", what, (l[2] - s[2]) / (l[1] - s[1])
    }' || die "$1: nothing was counted ($short; $long): is $2 still a function of its own?"
}

command -v valgrind >/dev/null || die "valgrind is missing; on Debian: apt-get install valgrind"
cargo build --quiet --release --locked -p settlewatch-benches
binary=${CARGO_TARGET_DIR:-target}/release/settlewatch-benches
[[ -x $binary ]] || die "$binary was not built"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
per_event decode decode_measured 2000 10000 >"$work/decode" &
decoding=$!
per_event join apply_measured 20000 80000 >"$work/join" || exit 1
wait "$decoding" || exit 1
cat "$work/decode" "$work/join" >"$work/counted"

if [[ ${1-} == --record ]]; then
    {
        echo "# Instructions an event. benches/ratchet.sh compares and, with --record, writes this file."
        echo "# Counted with $(rustc --version | cut -d' ' -f1,2), $(uname -m), valgrind $(valgrind --version | sed 's/valgrind-//')."
        cat "$work/counted"
    } >"$recorded"
    cat "$recorded"
    exit
fi

[[ -e $recorded ]] || die "$recorded is missing; benches/ratchet.sh --record writes it"
awk -v tolerance="$tolerance_per_cent" -v compiler="$(rustc --version)" '
    FNR == 1 { file++ }
    file == 1 && !/^#/ && NF == 2 { allowed[$1] = $2 }
    file == 1 && /^# Counted/ { with = substr($0, 3) }
    file == 2 {
        if (!($1 in allowed)) { printf "%s: not recorded\n", $1; worse = 1; next }
        change = ($2 / allowed[$1] - 1) * 100
        printf "%-7s %6d instructions an event, recorded %6d (%+.1f %%)\n", $1, $2, allowed[$1], change
        if (change > tolerance) worse = 1
        if (change < -tolerance) better = 1
    }
    END {
        if (worse) {
            printf "ratchet: over %s %% more than recorded. Find what made it slower; when the price is right, or only\n", tolerance
            printf "the compiler or the machine changed (now %s), run benches/ratchet.sh --record\n", compiler
            printf "and commit benches/ratchet.txt with the reason.\n%s\n", with
            exit 1
        }
        if (better) print "ratchet: better than recorded. Lower it: run benches/ratchet.sh --record and commit benches/ratchet.txt."
    }' "$recorded" "$work/counted"
