#!/usr/bin/env bash
# Prints the class path of Kafka Streams' left join; builds it with Maven where these sources have not been built yet.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
die() {
    echo "jar.sh: $*" >&2
    exit 1
}
command -v mvn >/dev/null || die "Maven is missing (Debian: maven)"
command -v javac >/dev/null || die "the Java compiler is missing (Debian: openjdk-17-jdk-headless)"

sources=$(cd "$here" && find pom.xml src -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/settlewatch/streams-$sources
if [[ ! -e $cache/complete ]]; then
    mkdir -p "$cache"
    mvn -B -q -f "$here/pom.xml" -Dout="$cache" compile dependency:copy-dependencies \
        -DoutputDirectory="$cache/libs" -DincludeScope=runtime >&2
    touch "$cache/complete"
fi
echo "$cache/classes:$cache/libs/*"
