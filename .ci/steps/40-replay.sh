# The README's first command, on the recording that ships: it must print a summary and write alerts.
source .ci/lib.sh

command=$(readme_command 'cargo run --release -- replay')
echo "\$ $command"
out=$(sed -n 's/.*--out[ =]\([^ ]*\).*/\1/p' <<<"$command")
[[ -n $out ]] || die "the README's replay command has no --out"

printed=$(bash -euo pipefail -c "$command")
echo "$printed"
[[ -n $printed ]] || die "replay printed no summary"
for file in alerts.ndjson channels.ndjson summary.json; do
    [[ -s $out/$file ]] || die "replay left $out/$file empty"
done
