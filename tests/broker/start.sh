#!/usr/bin/env bash
# start.sh DIR: starts one Kafka broker with its data in DIR (new or empty) and waits until it serves.
# DIR/address then holds its host:port, DIR/pid its process id; stop.sh DIR ends it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${1:?usage: start.sh DIR}
ready_within_s=60

free_ports() {
    python3 - <<'PY'
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in held))
PY
}

libs=$("$here/jars.sh")
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
read -r port controller_port < <(free_ports)
sed -e "s|@PORT@|$port|g" -e "s|@CONTROLLER_PORT@|$controller_port|g" -e "s|@DATA_DIR@|$dir/data|g" \
    "$here/server.properties.in" >"$dir/server.properties"

# Client compiler only: a broker that lives for seconds is ready sooner.
jvm=(java -cp "$libs/*" -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
cluster_id=$("${jvm[@]}" kafka.tools.StorageTool random-uuid 2>>"$dir/format.log")
"${jvm[@]}" kafka.tools.StorageTool format --standalone -t "$cluster_id" -c "$dir/server.properties" \
    >>"$dir/format.log" 2>&1 || { cat "$dir/format.log" >&2; exit 1; }

"${jvm[@]}" -Xmx256m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
    kafka.Kafka "$dir/server.properties" </dev/null >"$dir/broker.log" 2>&1 &
pid=$!
echo "$pid" >"$dir/pid"

for ((tick = 0; tick < ready_within_s * 10; tick++)); do
    if grep -q 'Kafka Server started' "$dir/broker.log"; then
        echo "127.0.0.1:$port" >"$dir/address"
        exit 0
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
done
echo "start.sh: the broker did not start; its log ends:" >&2
tail -n 20 "$dir/broker.log" >&2
"$here/stop.sh" "$dir"
exit 1
