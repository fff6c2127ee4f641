#!/usr/bin/env bash
# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# new_home.sh FOLDER: makes FOLDER an empty home, and removes what was in it. It has links to pip's configuration and
# cache in the present home.
set -euo pipefail
home=$1

keep() {
    if [ -e "$1" ]; then
        mkdir -p "$(dirname "$home/$2")"
        ln -s "$(realpath "$1")" "$home/$2"
    fi
}

rm -rf "$home"
mkdir -p "$home"
keep "${PIP_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pip}" .cache/pip
keep "${XDG_CONFIG_HOME:-$HOME/.config}/pip" .config/pip
keep "$HOME/.pip" .pip
keep "$HOME/.netrc" .netrc
