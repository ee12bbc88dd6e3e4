# The image: built from the release binary, and run as it will be: nobody, nothing to write to, no capability.
source .ci/lib.sh

need buildah buildah
need podman podman
need runc runc
need objcopy binutils
"$(tools_dir)/bin/hadolint" deploy/image/Dockerfile

mkdir -p "$(target_dir)/ci-image"
dir=$(cd "$(target_dir)/ci-image" && pwd)
store=(--root "$dir/store" --runroot "$dir/run" --storage-driver vfs)
cargo build --quiet --release --locked -p settlewatch
export BUILDAH="buildah ${store[*]}" BUILDAH_ISOLATION=chroot
began=$SECONDS
deploy/image/build.sh "$(target_dir)/release/settlewatch" "$dir"
echo "built in $((SECONDS - began)) s"

# The chart asks for the image that was built.
chart=deploy/chart/settlewatch
image=$(awk '/^image:/ { of = 1 } of && $1 == "repository:" { print $2; exit }' "$chart/values.yaml"):$(awk -F'"' '/^appVersion:/ { print $2 }' "$chart/Chart.yaml")
podman=(podman "${store[@]}" --runtime runc --cgroup-manager cgroupfs)
"${podman[@]}" image exists "$image" || die "the chart asks for $image, which is not what was built"
id=$("${podman[@]}" image inspect --format '{{.Id}}' "$image")
deploy/image/build.sh "$(target_dir)/release/settlewatch" "$dir" >/dev/null
[[ $("${podman[@]}" image inspect --format '{{.Id}}' "$image") == "$id" ]] || die "the same files gave another image"
user=$("${podman[@]}" image inspect --format '{{.Config.User}}' "$image")
[[ $user == 65532:65532 ]] || die "the image runs as '$user'"

in_container() {
    timeout 120 "${podman[@]}" run --rm --network none --read-only --read-only-tmpfs=false --cap-drop all \
        --security-opt no-new-privileges --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
        --volume "$PWD/examples:/etc/settlewatch:ro" "$image" "$@"
}
in_container --version
in_container validate --config /etc/settlewatch/kafka.yaml
in_container demo --headless --for 20s >"$dir/demo" 2>&1 || { tail -n 40 "$dir/demo" >&2; die "demo fails in the image"; }
tail -n 3 "$dir/demo"
# Nothing can be written, also not by our own program.
if in_container simulate --out /somewhere --duration 1s >"$dir/written" 2>&1; then
    die "something was written into a read-only image"
fi
grep -qi 'read-only file system' "$dir/written" || { cat "$dir/written" >&2; die "simulate failed for another reason"; }

# Backtraces name functions.
functions=$(nm --demangle "$dir/root/usr/bin/settlewatch" | grep -c ' settlewatch') || true
[[ $functions -ge 100 ]] || die "the binary of the image names $functions of our functions"
[[ -s $dir/root/etc/ssl/certs/ca-certificates.crt ]] || die "the image has no certificate authorities"
size=$("${podman[@]}" image inspect --format '{{.Size}}' "$image")
echo "image: $((size / 1000000)) MB, $functions functions named"
[[ $size -le ${IMAGE_BYTES:-50000000} ]] || die "the image is larger than ${IMAGE_BYTES:-50000000} bytes"
