#!/usr/bin/env bash
# Builds and tests what is committed under Debian trixie (g++ 14, Python 3.13), in a folder made by debootstrap.
# Needs root, debootstrap and some 3 GB; takes about half an hour. It is no part of continuous integration.
# Usage: bash tools/try_trixie.sh [FOLDER]   (FOLDER is kept, and used again by the next run)
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=${1:-$(mktemp -d)}
packages=g++,cmake,ninja-build,git,python3,python3-dev,python3-venv,ca-certificates

if [[ ! -e $root/usr/bin/g++ ]]; then
  debootstrap --variant=minbase --include="$packages" trixie "$root"
fi
# Names, package indexes and certificates as this machine has them.
for file in resolv.conf pip.conf ssl/certs/ca-certificates.crt; do
  if [[ -e /etc/$file ]]; then cp "/etc/$file" "$root/etc/$file"; fi
done
for folder in proc sys dev; do
  mountpoint -q "$root/$folder" || mount --rbind "/$folder" "$root/$folder"
  mount --make-rslave "$root/$folder" # or unmounting it here would unmount it there
done
trap 'for folder in proc sys dev; do umount -R -l "$root/$folder" || true; done' EXIT

rm -rf "$root/checkout"
git clone --quiet --no-hardlinks "$repo" "$root/checkout"
chroot "$root" /bin/bash -euo pipefail -c '
  cd /checkout
  python3 -m venv --clear /venv
  export PATH=/venv/bin:$PATH
  python --version && g++ --version | head -1
  pip install --quiet ".[test]"
  python -m pytest -n auto tests
'
