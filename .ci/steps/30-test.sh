# Tests: the README's own command, on a machine that has nothing but what the README asks for. A run that tested nothing
# fails, and so does one that does not name what is missing.
source .ci/lib.sh
source .ci/minimal.sh

command=$(readme_command 'cargo test --workspace')
machine=$(mktemp -d)
trap 'rm -rf "$machine"' EXIT
link_programs "$machine/bin" $(readme_packages build) $(readme_packages tests)
echo "\$ $command"
log=$(target_dir)/ci-tests.log
mkdir -p "$(target_dir)"
in_minimal "$machine" "$command" 2>&1 | tee "$log"

awk '/^test result:/ { passed += $4; failed += $6 } END { printf "tests: %d passed, %d failed\n", passed, failed }' \
    "$log" >"$(target_dir)/ci-tests"
cat "$(target_dir)/ci-tests"
if grep -q '^tests: 0 passed' "$(target_dir)/ci-tests"; then
    die "no test ran"
fi

without "$machine" java "$command --test kafka" 'Java is missing (Debian: openjdk-17-jre-headless)'
for program in openssl kcat curl; do
    without "$machine" "$program" "$command --test kafka" "$program is missing (Debian: $program)"
done
without "$machine" mvn 'XDG_CACHE_HOME=$HOME/.cache tests/broker/jars.sh' 'Maven is missing (Debian: maven)'
