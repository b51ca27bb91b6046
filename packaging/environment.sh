#!/bin/bash
# Puts together a virtual environment that will lie at /opt/retentiond:
#
#   packaging/environment.sh PYTHON DIRECTORY
#
# PYTHON is one that has hatchling and pip. Only files are taken whose hashes stand in requirements.lock.
set -euo pipefail
with=$1
place=$2
final=/opt/retentiond

/usr/bin/python3 -m venv --without-pip --symlinks "$place"
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
"$with" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$wheels" .
install_with=("$with" -m pip --quiet --disable-pip-version-check --python "$place/bin/python" install
  --no-deps --no-compile --no-warn-script-location)
"${install_with[@]}" --require-hashes -r requirements.lock
"${install_with[@]}" "$wheels"/retentiond-*.whl

libraries=$(echo "$place"/lib/python3.*/site-packages)
# One command, and the interpreter it names. Scripts that others brought are not ours to offer.
find "$place/bin" -mindepth 1 ! -name 'python*' ! -name retentiond -delete
sed -i "1s|.*|#!$final/bin/python|" "$place/bin/retentiond"
printf 'home = /usr/bin\ninclude-system-site-packages = false\n' > "$place/pyvenv.cfg"
rm -rf "$place/include" "$place/share"
# What was true of this machine only, and what nobody runs there: sources of compiled modules, tests, lists of files.
find "$libraries" \( -name direct_url.json -o -name REQUESTED -o -name RECORD -o -name INSTALLER \) -delete
find "$libraries" -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.cpp' -o -name '*.cc' \
  -o -name '*.h' -o -name '*.hpp' -o -name '*.a' -o -name '*.pyi' \) -delete
find "$libraries" -type d \( -name tests -o -name test -o -name __pycache__ \) -prune -exec rm -rf {} +
# For Python 2, which cannot be compiled here, and what one library has left lying beside the packages.
rm -f "$libraries/olefile/olefile2.py" "$libraries/OleFileIO_PL.py" "$libraries/_build.py"
