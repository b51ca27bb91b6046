#!/bin/bash
# Builds dist/retentiond_VERSION_amd64.deb for Debian 12: the command with all its libraries under /opt/retentiond, the
# units, man pages and documents. Needs no root. Twice from the same commit it gives the same file, bit by bit.
#
#   packaging/build.sh [DIRECTORY]      where the package goes; dist/ if left out
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
python=$root/.venv/bin/python
target=${1:-$root/dist}

missing=()
for package in debhelper dpkg-dev fakeroot po-debconf; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "These Debian packages are missing. Run:  sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
if [ ! -x "$python" ]; then
  echo "There is no $python. Run:  make setup" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source=$work/retentiond
install -d "$source" "$target"
# What git knows, as it lies here: no caches, no state of a scan that somebody has tried out.
(cd "$root" && git ls-files -z --cached --others --exclude-standard -- \
  agent connectors config systemd docs packaging pyproject.toml requirements.lock README.md CHANGELOG.md LICENSE |
  while IFS= read -r -d '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done |
  xargs -0 cp --parents --preserve=mode --target-directory="$source")
cp -r "$source/packaging/debian" "$source/debian"

umask 022
export BUILD_PYTHON=$python DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:-} nocheck" LC_ALL=C.UTF-8 TZ=UTC
(cd "$source" && dpkg-buildpackage --build=binary --no-sign --no-check-builddeps --root-command=fakeroot)
mv "$work"/retentiond_*_amd64.deb "$target"/
ls -l "$target"/retentiond_*.deb
