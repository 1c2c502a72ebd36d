#!/usr/bin/env bash
# Debian packages that some tests use: installed where they are missing and this is root, else named.
# A test whose program is missing is skipped with that reason.
set -euo pipefail

declare -A PACKAGE_OF=([chromium]=chromium [dciodvfy]=dicom3tools [dsrdump]=dcmtk [Orthanc]=orthanc [pg_ctlcluster]=postgresql)

missing=()
for program in "${!PACKAGE_OF[@]}"; do
  command -v "$program" >/dev/null || missing+=("${PACKAGE_OF[$program]}")
done
[ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || missing+=(orthanc-dicomweb)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "== Installing Debian packages for the tests: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
  echo "== Missing for some tests, which will be skipped: ${missing[*]} (Debian packages; install them as root)"
fi
