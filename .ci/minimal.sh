# A machine that has nothing but what the README asks for: an empty HOME, and programs of nothing but some Debian
# packages and Rust. Sourced by steps that prove what the README says.

# The packages named and all that they depend on, among those that are installed.
closure() {
    local wanted=("$@") package depends
    local -A seen=()
    while [[ ${#wanted[@]} -gt 0 ]]; do
        package=${wanted[-1]}
        unset 'wanted[-1]'
        [[ -z ${seen[$package]:-} ]] || continue
        seen[$package]=1
        depends=$(dpkg-query -W -f '${Pre-Depends},${Depends}\n' "$package" 2>/dev/null) || continue
        for package in $(sed -e 's/([^)]*)//g' -e 's/:any//g' -e 's/[,|]/ /g' <<<"$depends"); do
            wanted+=("$package")
        done
    done
    printf '%s\n' "${!seen[@]}"
}

# link_programs FOLDER PACKAGE…: links to what Debian's required packages and those named bring, and to Rust.
link_programs() {
    local bin=$1 path base files
    shift
    mkdir -p "$bin"
    for path in "$@"; do
        is_installed "$path" || die "the package $path is not installed"
    done
    base=$(dpkg-query -W -f '${Package} ${Priority}\n' | awk '$2 == "required" { print $1 }')
    # What only another package could bring is not installed: dpkg says so, and knows of nothing.
    files=$(closure $base "$@" | { xargs dpkg -L 2>/dev/null || true; } | sort -u)
    for path in $(grep -E '^(/usr)?/s?bin/[^/]+$' <<<"$files"); do
        [[ ! -x $path || -d $path ]] || ln -sf "$path" "$bin/"
    done
    # Names that Debian's alternatives give to programs of these packages: cc, awk, java.
    for path in $(find /usr/bin -lname '/etc/alternatives/*'); do
        ! grep -qxF "$(readlink -f "$path")" <<<"$files" || ln -sf "$path" "$bin/"
    done
    for path in cargo rustc rustdoc; do
        ln -sf "$(rustc --print sysroot)/bin/$path" "$bin/"
    done
}

# in_minimal FOLDER COMMAND: runs it with the programs of FOLDER/bin and the empty home FOLDER/home. What says how the
# network is reached stays, and so do the caches of crates, of Kafka's jars and of what was built, unless
# MINIMAL_CACHES is empty.
in_minimal() {
    local folder=$1 network caches=() target
    mkdir -p "$folder/home" "$(target_dir)"
    target=$(cd "$(target_dir)" && pwd)
    mapfile -t network < <(env | grep -iE '^((https?|all|no)_proxy|SSL_CERT_FILE|CARGO_HTTP_[A-Z_]*|CARGO_BUILD_JOBS)=' || true)
    if [[ -n ${MINIMAL_CACHES-yes} ]]; then
        caches=(CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}" CARGO_TARGET_DIR="$target")
    fi
    env -i HOME="$folder/home" PATH="$folder/bin" CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 "${caches[@]}" \
        "${network[@]}" bash -euo pipefail -c "$2"
}

# without FOLDER PROGRAM COMMAND LINE: there the command fails where the program is missing, and says so in this line.
without() {
    mv "$1/bin/$2" "$1/taken"
    if in_minimal "$1" "$3" >"$1/told" 2>&1; then
        die "nobody misses $2"
    fi
    mv "$1/taken" "$1/bin/$2"
    grep -m 1 -F "$4" "$1/told" || { tail -n 20 "$1/told" >&2; die "that $2 is missing is not said in one line"; }
}
