#!/usr/bin/env bash
# Puts a bundle with its card on the Hugging Face Hub, and prints what --model takes:
#   scripts/push_model.sh OWNER/NAME models/light-5
# Needs `pip install huggingface-hub` and `hf auth login` once.
set -euo pipefail
repository=${1:?Give the repository: scripts/push_model.sh OWNER/NAME models/light-5}
bundle=$(cd "${2:?Give the folder of the bundle: scripts/push_model.sh OWNER/NAME models/light-5}" && pwd)
cd "$(dirname "$0")/.."
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
checksum=$(python3 scripts/stage_model.py "$bundle" "$files")
hf repos create "$repository" --exist-ok >&2
hf upload "$repository" "$files" . --commit-message "Publish $(basename "$bundle")" >&2
commit=$(python3 -c 'import sys, huggingface_hub; print(huggingface_hub.model_info(sys.argv[1]).sha)' "$repository")
echo "hf://$repository@$commit#sha256=$checksum"
