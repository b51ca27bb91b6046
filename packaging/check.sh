#!/bin/bash
# Installs a package on a fresh Debian 12, uses it as the service's user with the unit's rights, and removes it again.
# Needs root, mmdebstrap and a Debian mirror:
#
#   packaging/check.sh dist/retentiond_VERSION_amd64.deb
set -euo pipefail
package=$(realpath "$1")
mirror=${MIRROR:-http://deb.debian.org/debian}

work=$(mktemp -d --tmpdir=/var/tmp)
machine=$work/machine
trap 'umount -q "$machine/proc" || true; rm -rf --one-file-system "$work"' EXIT
say() { printf '\n== %s\n' "$*"; }
inside() { chroot "$machine" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

if command -v lintian > /dev/null; then
  say "lintian"
  lintian --fail-on error --allow-root "$package"
fi

say "a fresh Debian 12"
mmdebstrap --quiet --variant=minbase --include=debconf,man-db,systemd bookworm "$machine" "$mirror"
mount -t proc proc "$machine/proc"
cp "$package" "$machine/root/retentiond.deb"

say "install"
inside apt-get update -qq
inside apt-get install -y -q --no-install-recommends /root/retentiond.deb
inside retentiond --version
inside man -P cat retentiond | head -n 5 > /dev/null
du -sh "$machine/opt/retentiond"

say "scan as retentiond-scan, with what its unit gives it, a folder that only its owner may read"
install -d -m 700 "$machine/srv/office"
printf 'Dear Ms Nobody,\nYour National Insurance number is QQ 12 34 56 C, your e-mail nobody@example.org.\n' > "$machine/srv/office/letter.txt"
chown -R 4321:4321 "$machine/srv/office"
printf 'shares: [{name: office, path: /srv/office}]\njobs: 1\n' > "$machine/etc/retentiond/retentiond.yaml"
inside setpriv --reuid retentiond-scan --regid retentiond --clear-groups --no-new-privs \
  --bounding-set -all,+dac_read_search --inh-caps -all,+dac_read_search --ambient-caps -all,+dac_read_search \
  env RETENTIOND_CONFIG=/etc/retentiond/retentiond.yaml RETENTIOND_STATE=/var/lib/retentiond \
  retentiond scan --json --may-change-access-times > "$work/scan.json"
head -n 4 "$work/scan.json"
grep -q '"scanned": 1' "$work/scan.json"
if inside setpriv --reuid retentiond-scan --regid retentiond --clear-groups --bounding-set -all cat /srv/office/letter.txt 2> /dev/null; then
  echo "the folder is open to anybody, so this shows nothing" >&2
  exit 1
fi

say "upgrade to itself, remove, purge: the records stay"
inside apt-get install -y -q --reinstall /root/retentiond.deb
inside apt-get remove -y -q retentiond
[ ! -e "$machine/opt/retentiond" ] || { find "$machine/opt/retentiond" | head; exit 1; }
inside apt-get purge -y -q retentiond
ls -lR "$machine/var/lib/retentiond" "$machine/etc/retentiond"
[ -s "$machine/var/lib/retentiond/catalogue.sqlite" ] && [ -s "$machine/var/lib/retentiond/master.key" ]

say "install again, say that records shall go, purge: nothing stays"
inside apt-get install -y -q --no-install-recommends /root/retentiond.deb
echo 'retentiond retentiond/purge-records boolean true' | inside debconf-set-selections
inside apt-get purge -y -q retentiond
[ ! -e "$machine/var/lib/retentiond" ] && [ ! -e "$machine/etc/retentiond" ] && [ ! -e "$machine/opt/retentiond" ]
say "all as it should be"
