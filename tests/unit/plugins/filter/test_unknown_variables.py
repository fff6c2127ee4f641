# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables are misspelled."""

from __future__ import annotations

import pytest
from ansible_collections.huaweicloud.koodrive.plugins.filter.unknown_variables import FilterModule, known_variables

unknown_variables = FilterModule().filters()["unknown_variables"]


def test_variables_results_and_internal_names_are_known() -> None:
    others = ["koodrive", "koodriver_total", "my_koodrive_total", "koodrive__answers", "onboarding_capacity__given", "capacity_report__file"]
    assert unknown_variables([*known_variables(), *others]) == ""
    assert {"koodrive_in_process", "koodrive_result", "onboarding_capacity_result", "koodrive_heartbeat", "capacity_report_path"} <= known_variables()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("onboarding_capacity_origin_resrve", "onboarding_capacity_origin_reserve"),
        ("koodrive_individual_unalocated_capacity", "koodrive_individual_unallocated_capacity"),
        ("koodrive_pool", "koodrive_pools"),
        ("capacity_report_fromat", "capacity_report_format"),
        ("koodrive_individual_count", "onboarding_capacity_individual_count"),
        ("onboarding_capacity_capacity_step", "koodrive_capacity_step"),
        ("onboarding_capacity_step", "koodrive_capacity_step"),
        ("onboarding_capacity_pols", "koodrive_pools"),
        ("koodrive_tokn", "koodrive_token"),
    ],
)
def test_the_message_names_the_probable_variable(name: str, meant: str) -> None:
    assert unknown_variables(["koodrive_pools", name]) == f"There is no variable {name}. Did you mean {meant}?"


def test_the_message_says_to_rename_other_names() -> None:
    assert unknown_variables(["koodrive_zzz"]).endswith("Rename the variable.")


def test_playbooks_refuse_connection_options() -> None:
    names = ["koodrive_token", "koodrive_timeout", "koodrive_ledger"]
    assert unknown_variables(names) == ""
    message = unknown_variables(names, connection=False)
    assert message.startswith("There is no variable koodrive_ledger. Set KOODRIVE_LEDGER in the environment. There is no variable koodrive_timeout. ")
    assert message.endswith("There is no variable koodrive_token. Set KOODRIVE_TOKEN in the environment.")
