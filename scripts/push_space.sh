#!/usr/bin/env bash
# Puts the last commit on a Hugging Face Space:  scripts/push_space.sh USER/NAME
# Needs `hf auth login` once. The front matter of README.md is the Space's configuration.
set -euo pipefail
space=${1:?Give the Space: scripts/push_space.sh USER/NAME}
cd "$(dirname "$0")/.."
files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
git archive HEAD | tar -x -C "$files"
# The page alone: neither what trains nor what tests.
python3 "$files/scripts/space_requirements.py" > "$files/requirements.txt"
hf repos create "$space" --repo-type space --space-sdk gradio --exist-ok
# Not `git push`: a Space takes model files through its own storage, to which this uploads.
hf upload "$space" "$files" . --repo-type space --commit-message "$(git log -1 --format=%s)"
