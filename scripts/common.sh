# Shared by the scripts: where things are, and how missing packages are installed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${SOFTVT_BUILD:-$root/build}
jobs=$(nproc)

# install_packages PACKAGE...: says what is missing, then installs it with apt.
install_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  echo "softvt: installing with apt: ${missing[*]}"
  local sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

build_packages=(g++ cmake ninja-build pkg-config libzydis-dev libzycore-dev
                libboost-program-options-dev libgtest-dev libgmock-dev libbenchmark-dev)
debian_packages=(busybox-static cpio)
test_packages=(binutils clang-format-14 clang-14 libclang-rt-14-dev python3)

# configure_and_build DIRECTORY [cmake options]
configure_and_build() {
  local directory=$1
  shift
  cmake -S "$root" -B "$directory" -G Ninja "$@" >/dev/null
  cmake --build "$directory" -j "$jobs"
}
