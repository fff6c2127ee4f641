# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make certificates for the simulator's TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


def server_context(ca_path: Path) -> ssl.SSLContext:
    """Return a TLS context for 127.0.0.1 and localhost, and write the certificate of its new CA to ``ca_path``."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(ca_path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context
