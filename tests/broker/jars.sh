#!/usr/bin/env bash
# Prints the folder that holds the broker's jars; fetches them with Maven the first time.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$here/pom.xml")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/settlewatch/kafka-$version

if [[ ! -e $cache/complete ]]; then
    command -v mvn >/dev/null || { echo "jars.sh: Maven is missing (Debian: maven)" >&2; exit 1; }
    mkdir -p "$cache"
    mvn -B -q -f "$here/pom.xml" dependency:copy-dependencies \
        -DoutputDirectory="$cache/libs" -DincludeScope=runtime >&2
    touch "$cache/complete"
fi
echo "$cache/libs"
