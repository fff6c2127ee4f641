# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's configuration for `make docs`. It refers to nothing on the network, so that the documentation can be built
without one.
"""

from __future__ import annotations

import re

from docutils.nodes import reference
from sphinx.util import logging

project = "huaweicloud.koodrive"
author = copyright = "the huaweicloud.koodrive maintainers"
title = html_title = html_short_title = "huaweicloud.koodrive"
extensions = ["sphinx_antsibull_ext"]
highlight_language = "YAML+Jinja"
pygments_style = "ansible"
html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_use_index = False
html_copy_source = False
default_role = "any"

#: Labels of Ansible's own documentation that the generated pages refer to, and where they are.
ANSIBLE = {
    "action_plugins": "plugins/action.html",
    "ansible_collections.ansible.builtin.set_stats_module": "collections/ansible/builtin/set_stats_module.html",
    "ansible_collections.ansible.builtin.varnames_lookup": "collections/ansible/builtin/varnames_lookup.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def to_ansible(_app, _env, node, content):
    """The link for a label of Ansible's documentation, or None."""
    page = ANSIBLE.get(node.get("reftarget", ""))
    return page and reference("", "", content, refuri=f"https://docs.ansible.com/projects/ansible/latest/{page}")


#: How a guide links to another one. A forge shows the source files, so the link leads to one of them.
GUIDE = re.compile(r"(guide_\w+)\.rst(#.*)?")


def to_guides(app, doctree, _docname):
    """Turn links to the source files of guides into links to their HTML pages."""
    for link in doctree.findall(reference):
        guide = GUIDE.fullmatch(link.get("refuri", ""))
        if guide and f"docsite/{guide[1]}" in app.env.found_docs:
            link["refuri"] = f"{guide[1]}.html{guide[2] or ''}"
        elif guide:
            logging.getLogger(__name__).warning("no such guide: %s", link["refuri"], location=link)


def setup(app):
    app.connect("missing-reference", to_ansible)
    app.connect("doctree-resolved", to_guides)
