# The join and the protocol need no standard library: neither its own compiled metadata nor that of anything it
# depends on names `std`. Built alone, so that no other crate switches their `std` features on.
source .ci/lib.sh

dir=$(target_dir)/no-std
cargo build --quiet --locked -p settlewatch-protocol --target-dir "$dir"
crates=$(cargo tree --locked -p settlewatch-protocol -e normal,no-proc-macro --prefix none --format '{lib}' | sort -u | sed '/^$/d')
[[ -n $crates ]] || die "cargo tree names no crate"

for crate in $crates; do
    found=0
    for rlib in "$dir"/debug/deps/lib"$crate"-*.rlib "$dir"/debug/lib"$crate".rlib; do
        [[ -e $rlib ]] || continue
        found=1
        # `-Z ls` prints the metadata; it is asked of the stable compiler.
        needs=$(RUSTC_BOOTSTRAP=1 rustc -Z ls=root "$rlib" | awk '/^[0-9]+ / { sub(/-.*/, "", $2); print $2 }')
        grep -qx core <<<"$needs" || die "$rlib: its metadata cannot be read"
        if grep -qx std <<<"$needs"; then
            die "$crate depends on std"
        fi
    done
    [[ $found -eq 1 ]] || die "no library of $crate was built"
    echo "$crate: no std"
done
