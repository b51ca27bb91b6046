#!/bin/bash
# Writes shlibs:Depends for what the wheels' own libraries take from the system:
#
#   packaging/system_libraries.sh DIRECTORY SUBSTVARS
set -euo pipefail
place=$1
substvars=$2

brought=$(find "$place" -name '*.so*' -printf '%f\n' | sort -u)
needed=$(find "$place" -name '*.so*' -type f -exec objdump -p {} + 2>/dev/null | awk '$1 == "NEEDED" {print $2}' | sort -u)
glibc=$(find "$place" -name '*.so*' -type f -exec objdump -T {} + 2>/dev/null |
  grep -oE 'GLIBC_2\.[0-9]+' | sort -u -V | tail -n 1)
depends="libc6 (>= ${glibc#GLIBC_})"
for library in $(comm -23 <(echo "$needed") <(echo "$brought")); do
  case $library in
    ld-linux-*|libc.so.*|libm.so.*|libpthread.so.*|libdl.so.*|librt.so.*|libutil.so.*) ;;
    libgcc_s.so.1) depends+=", libgcc-s1" ;;
    libstdc++.so.6) depends+=", libstdc++6" ;;
    libz.so.1) depends+=", zlib1g" ;;
    *) echo "Which Debian package has $library? Say so in packaging/system_libraries.sh." >&2; exit 1 ;;
  esac
done
echo "shlibs:Depends=$depends" >> "$substvars"
