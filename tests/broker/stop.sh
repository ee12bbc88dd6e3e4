#!/usr/bin/env bash
# stop.sh DIR: ends the broker that start.sh DIR started, by its process id. A second call does nothing.
set -euo pipefail

dir=${1:?usage: stop.sh DIR}
end_within_s=30

[[ -e $dir/pid ]] || exit 0
pid=$(<"$dir/pid")
kill -TERM "$pid" 2>/dev/null || true
for ((tick = 0; tick < end_within_s * 10; tick++)); do
    if ! kill -0 "$pid" 2>/dev/null; then
        rm -f "$dir/pid"
        exit 0
    fi
    sleep 0.1
done
kill -KILL "$pid" 2>/dev/null || true
rm -f "$dir/pid"
