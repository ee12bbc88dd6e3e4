# What the steps share. Sourced by each of them from the root of the clone.

export CARGO_TERM_COLOR=never
export CARGO_INCREMENTAL=0
export DEBIAN_FRONTEND=noninteractive
export PATH="$HOME/.cargo/bin:$PATH"

die() {
    echo "ci: $*" >&2
    exit 1
}

# "10-format.sh" is the step "format".
step_name() {
    basename "$1" .sh | sed 's/^[0-9]*-//'
}

target_dir() {
    echo "${CARGO_TARGET_DIR:-target}"
}

# Where the Python tools live: outside the clone, one folder for each list of versions.
tools_dir() {
    local versions
    versions=$(sha256sum .ci/requirements.txt | cut -c1-12)
    echo "${XDG_CACHE_HOME:-$HOME/.cache}/settlewatch/ci-tools-$versions"
}

# need COMMAND DEBIAN_PACKAGE: installs what is missing, fails if that does not bring it.
need() {
    if command -v "$1" >/dev/null; then
        return
    fi
    install_package "$2"
    command -v "$1" >/dev/null || die "$1 is missing, also after installing $2"
}

# readme_packages build|tests: the Debian packages that README.md asks for, to build and for the tests on top.
readme_packages() {
    local lists which=1
    [[ $1 == build ]] || which=2
    lists=$(tr '\n' ' ' <README.md | grep -o '(Debian: `[a-z0-9 +.-]*`)' | sed 's/^[^`]*`//; s/`)$//')
    [[ $(wc -l <<<"$lists") -eq 2 ]] || die "README.md does not name two lists of Debian packages: $lists"
    sed -n "${which}p" <<<"$lists"
}

is_installed() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

install_package() {
    echo "installing $1"
    apt-get -qq update || die "the package lists cannot be had"
    apt-get -qq install -y --no-install-recommends "$1" >/dev/null || die "$1 cannot be installed"
}

# readme_command PREFIX: the first command in README.md's fenced blocks that begins so, lines that
# end in a backslash joined. CI runs what the README says, so the README cannot drift.
readme_command() {
    [[ -e README.md ]] || die "README.md is missing"
    local command
    command=$(awk -v prefix="$1" '
        /^```/ { fenced = !fenced; next }
        !fenced { next }
        { sub(/^\$ /, ""); line = line $0 }
        line ~ /\\$/ { sub(/[ ]*\\$/, " ", line); next }
        index(line, prefix) == 1 && !found { print line; found = 1 }
        { line = "" }
    ' README.md)
    [[ -n $command ]] || die "README.md has no command that begins: $1"
    echo "$command"
}
