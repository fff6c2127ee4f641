#!/usr/bin/env bash
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# new_tree.sh FOLDER: makes FOLDER a copy of what git knows here, or would know. ansible-test wants a real directory with the collection's path.
# It looks for the repository that a file belongs to, and in this one the whole copy may be ignored: so the copy gets a new one.
set -euo pipefail
tree=$1

rm -rf "$tree"
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    # What was removed is known as long as no commit contains the removal.
    if [ -e "$file" ]; then
        printf '%s\0' "$file"
    fi
done | tar --null -T - -cf - | tar -xf - -C "$tree"
git -C "$tree" init --quiet
