#!/usr/bin/env bash
# record.sh [OUT]: makes the recording in tests/data/kcat (or OUT) anew: a real broker, the story of
# story.ndjson appended in its own time with `kcat -P`, and everything read back with `kcat -C -J -e`,
# one file a topic. Needs kcat, Maven, Java 17 or later and python3. Times differ at every run;
# what must come out does not (expected*).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=$here/../data/kcat
out=${1:-$data}
topics=(payments:3 credits:3 lifecycle:3 terminals:2)

for tool in kcat java python3; do
    command -v "$tool" >/dev/null || { echo "record.sh: $tool is missing" >&2; exit 1; }
done

work=$(mktemp -d)
trap '"$here/stop.sh" "$work/broker"; rm -rf "$work"' EXIT
"$here/start.sh" "$work/broker"
address=$(<"$work/broker/address")
libs=$("$here/jars.sh")

for topic in "${topics[@]}"; do
    java -cp "$libs/*" -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
        org.apache.kafka.tools.TopicCommand --bootstrap-server "$address" --create \
        --topic "${topic%:*}" --partitions "${topic#*:}" --config message.timestamp.type=LogAppendTime
done

python3 "$here/produce.py" "$address" "$data/story.ndjson"

mkdir -p "$out"
for topic in "${topics[@]}"; do
    name=${topic%:*}
    kcat -C -q -J -e -o beginning -b "$address" -t "$name" </dev/null >"$work/$name.ndjson"
done

appended=$(wc -l <"$data/story.ndjson")
read_back=$(cat "$work"/*.ndjson | wc -l)
if [[ $appended -ne $read_back ]]; then
    echo "record.sh: $appended records appended, $read_back read back" >&2
    exit 1
fi
mv "$work"/*.ndjson "$out"
echo "record.sh: $read_back records in $out"
