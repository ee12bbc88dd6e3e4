# The release, built and tried with nothing but what the README asks for. Every later step uses this build.
source .ci/lib.sh

.ci/fresh.sh
