# Instructions an event, for decoding and for the join: no more than recorded.
source .ci/lib.sh

[[ -e benches/ratchet.sh ]] || die "benches/ratchet.sh is missing"
bash -euo pipefail benches/ratchet.sh
