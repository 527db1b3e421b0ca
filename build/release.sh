#!/usr/bin/env bash
# Makes a release from a clean checkout: build/release.sh VERSION
#
#   CHANGELOG.md        the section "Pending" becomes that of the version
#   package.json        gets the version; the commit gets the tag vVERSION
#   release/            centripush-VERSION.tgz, its SHA-256, and the SBOM (CycloneDX)
#   image               centripush:VERSION, if Docker is there
#
# It pushes nothing. The tests must have passed: .ci/run. If it fails before the tag, `git checkout .` takes its changes
# back.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:?usage: build/release.sh VERSION}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9a-z.]+)?$ ]] || { echo "release: $version is no version" >&2; exit 2; }
[[ -z $(git status --porcelain) ]] || { echo 'release: the checkout has changes' >&2; exit 1; }
grep -q '^## Pending$' CHANGELOG.md || { echo 'release: CHANGELOG.md has no section "Pending"' >&2; exit 1; }

npm ci --silent
sed -i.old "s/^## Pending$/## $version ($(date -u +%F))/" CHANGELOG.md && rm CHANGELOG.md.old
npm version --no-git-tag-version --allow-same-version "$version" > /dev/null

rm -rf release && mkdir release
npm pack --silent --pack-destination release
npm sbom --package-lock-only --sbom-format cyclonedx --sbom-type application --omit dev \
  > "release/centripush-$version.cdx.json"
(cd release && sha256sum ./* > SHA256SUMS)

git commit --quiet --message "release: $version" CHANGELOG.md package.json package-lock.json
git tag --annotate "v$version" --message "centripush $version"

if docker info > /dev/null 2>&1; then
  docker build --file deploy/Dockerfile --tag "centripush:$version" .
else
  echo "release: no Docker here; the image: docker build -f deploy/Dockerfile -t centripush:$version ." >&2
fi
ls -l release
