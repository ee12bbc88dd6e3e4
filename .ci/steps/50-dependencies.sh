# Dependencies: licences, bans and sources of deny.toml, offline (advisories cannot be had).
source .ci/lib.sh

PATH="$(tools_dir)/bin:$PATH" cargo deny --offline check --hide-inclusion-graph licenses bans sources
