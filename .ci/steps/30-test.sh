# Tests: the README's own command. A run that tested nothing fails.
source .ci/lib.sh

command=$(readme_command 'cargo test --workspace')
echo "\$ $command"
log=$(target_dir)/ci-tests.log
mkdir -p "$(target_dir)"
bash -euo pipefail -c "$command" 2>&1 | tee "$log"

awk '/^test result:/ { passed += $4; failed += $6 } END { printf "tests: %d passed, %d failed\n", passed, failed }' \
    "$log" >"$(target_dir)/ci-tests"
cat "$(target_dir)/ci-tests"
if grep -q '^tests: 0 passed' "$(target_dir)/ci-tests"; then
    die "no test ran"
fi
