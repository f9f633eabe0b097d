#!/usr/bin/env bash
# Fails when dist/ is not what a fresh build gives.
set -euo pipefail
cd "$(dirname "$0")"
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
npm run --silent build:page -w tracker -- --outDir "$fresh/assets" --logLevel warn
npm run --silent build:widget -w tracker -- --outDir "$fresh/embed" --logLevel warn
if ! diff -rq dist "$fresh"; then
  echo "web/dist is stale: run 'npm run build' in web/ and commit what it writes" >&2
  exit 1
fi
