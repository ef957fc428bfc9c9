# What the scripts share: where the project is, how it speaks, what it needs from Debian.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
ROOT=$PWD
export ROOT

BUILD_PACKAGES="gcc clang cmake ninja-build pkg-config protobuf-c-compiler libprotobuf-c-dev libsodium-dev
  libuv1-dev liblmdb-dev libinih-dev libjansson-dev libmicrohttpd-dev libcurl4-openssl-dev libc-ares-dev
  libqrencode-dev libssl-dev uthash-dev
  python3"
TEST_PACKAGES="libcmocka-dev libclang-rt-14-dev g++ iproute2 util-linux strace systemd"

if [ -t 1 ]; then BOLD=$(printf '\033[1m') PLAIN=$(printf '\033[0m'); else BOLD= PLAIN=; fi

say() { printf '%s==> %s%s\n' "$BOLD" "$*" "$PLAIN"; }

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Installs those of the packages that are missing; asks for nothing where none is.
need() {
  local missing= package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  local sudo=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "Missing packages:$missing. Run as root: apt-get install$missing"
    sudo=sudo
  fi
  say "installing$missing"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    die "apt-get could not install:$missing"
}

# build PRESET: configures and builds one preset, quietly unless something is wrong.
build() {
  local log=build/$1.log
  mkdir -p build
  cmake --preset "$1" >"$log" 2>&1 && cmake --build --preset "$1" >>"$log" 2>&1 && return 0
  tail -n 60 "$log" >&2
  die "The build of $1 failed; all of its output is in $log"
}

# The MLS implementations that tests/interop talks to, where npm is there. Without them these tests are skipped.
interop_peers() {
  local folder=tests/interop
  command -v node >/dev/null && command -v npm >/dev/null || return 0
  [ $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ] && return 0
  say "installing the peers of $folder"
  (cd $folder && npm ci --silent) || say "npm could not install them: the interop tests will be skipped"
}
