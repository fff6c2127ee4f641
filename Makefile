# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := /bin/bash

# The newest Python >= 3.11 on the PATH that really runs. A name on the PATH may be a shim that only fails.
PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
ifeq ($(strip $(PYTHON)),)
$(error No Python 3.11 or newer was found on the PATH; name one with PYTHON=/path/to/python3)
endif
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

N ?= 300
ROUNDS ?= 7
# The targets are relative to this folder, and recipes get its path quoted: it may have a blank.
HERE := '$(subst ','\'',$(CURDIR))'
VENV := .venv-$(VERSION)
BIN := $(HERE)/$(VENV)/bin
IMPORTER := $(VENV)-importer
# The release of the package ansible that AWX's modules are taken from.
ANSIBLE := 12.3.0
AWX := .build/ansible-$(ANSIBLE)

# Steps share nothing with each other, here or in another clone. Each has its own home and its own copy of the
# collection.
STEPS := demo demo-eda lint types docs-lint docs sanity unit chaos mutants bench system system-broad matrix ansible-units integration integration-faults integration-others integration-broad
ROOM = $(HERE)/.build/$@
TREE = $(ROOM)/ansible_collections/huaweicloud/koodrive
IN_ROOM = env -u XDG_CACHE_HOME -u XDG_CONFIG_HOME HOME=$(ROOM)/home ANSIBLE_COLLECTIONS_PATH=$(ROOM)
IN_TREE = cd $(TREE) && $(IN_ROOM)
ANSIBLE_TEST = $(IN_TREE) $(BIN)/ansible-test
LOCAL := --local --python $(VERSION) --color no

# The tools of the virtual environment first.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Steps that print for people have colours on a terminal, unless NO_COLOR is set.
COLOURS := $(if $(NO_COLOR),,-u NO_COLOR)
export NO_COLOR := 1
# pyenv is in the user's home, not in a step's.
export PYENV_ROOT ?= $(HOME)/.pyenv
# Variables of the user must not change a test.
unexport $(filter KOODRIVE_%,$(.VARIABLES))
unexport ANSIBLE_CONFIG ANSIBLE_HOME JOB_ID KUBERNETES_SERVICE_HOST

.PHONY: help simulator test broad clean $(STEPS) $(STEPS:%=room-%)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-19s%s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

$(STEPS): %: room-%

demo: $(VENV)/demo ## the main jobs, against a simulated KooDrive
	@$(IN_ROOM) env $(COLOURS) $(BIN)/python -m tests.demo

demo-eda: $(VENV)/dev ## a rulebook of Event-Driven Ansible that keeps room, against a simulated KooDrive
	@$(IN_ROOM) env $(COLOURS) $(BIN)/python -m tests.demo_eda

simulator: $(VENV)/demo ## a simulated KooDrive to try playbooks on; see 'ARGS=--help'
	@$(BIN)/python -m tests.simulator $(ARGS)

# The targets of the integration tests that take long.
BROAD := documented_examples in_process ledger role_capacity_report role_onboarding_capacity

# For two cores. Some steps mostly wait. Some unit tests measure times, so only light steps run at the same time.
test: ## the tests for every change
	@$(MAKE) --no-print-directory -j3 --output-sync=target integration-faults integration-others system sanity
	@$(MAKE) --no-print-directory -j2 --output-sync=target unit lint types docs-lint docs

broad: ## the tests that take longer
	@$(MAKE) --no-print-directory -j2 --output-sync=target integration-broad system-broad
	@$(MAKE) --no-print-directory --output-sync=target ansible-units

lint: $(VENV)/dev ## ruff and ansible-lint
	$(IN_TREE) $(BIN)/ruff check --no-cache .
	$(IN_TREE) $(BIN)/ruff format --no-cache --check --diff .
	$(IN_TREE) ANSIBLE_ROLES_PATH=tests/integration/targets $(BIN)/ansible-lint --offline --profile production

types: $(VENV)/dev ## mypy
	cd $(ROOM) && $(IN_ROOM) $(BIN)/mypy --config-file $(TREE)/mypy.ini

docs-lint: $(VENV)/dev ## the documentation and the changelog fragments
	$(IN_TREE) $(BIN)/antsibull-docs lint-collection-docs --plugin-docs .
	$(IN_TREE) $(BIN)/antsibull-changelog lint

# The pages that antsibull-docs makes of the collection, as HTML. A reference to nowhere is an error.
docs: $(VENV)/dev ## the documentation as HTML, in .build/docs
	rm -rf $(ROOM)/rst $(ROOM)/html
	mkdir -p -m 755 $(ROOM)/rst
	$(IN_ROOM) $(BIN)/antsibull-docs collection --use-current --squash-hierarchy --cleanup everything --dest-dir $(ROOM)/rst huaweicloud.koodrive
	$(IN_ROOM) $(BIN)/sphinx-build -q -W --keep-going -b html -c docs/docsite $(ROOM)/rst $(ROOM)/html
	@echo The documentation: $(ROOM)/html/index.html

# Its virtual environments are kept from run to run: to make them takes longer than all of its tests.
sanity: $(VENV)/dev ## ansible-test's own checks
	mkdir -p $(ROOM)/ansible-test $(ROOM)/home/.ansible
	ln -s $(ROOM)/ansible-test $(ROOM)/home/.ansible/test
	$(IN_TREE) $(BIN)/python tests/tools/seed_get_pip.py
	$(ANSIBLE_TEST) sanity $(LOCAL) --requirements

unit: $(VENV)/dev ## the unit tests, quickly; ARGS='-k redaction' and the like choose
	$(IN_TREE) PYTHONPATH=$(ROOM) $(BIN)/python -m pytest -n 3 tests/unit $(ARGS)

chaos: export KOODRIVE_CHAOS := $(N)
chaos: export KOODRIVE_SCHEDULES := all
ifdef REPLAY
chaos: export KOODRIVE_CHAOS_REPLAY := $(REPLAY)
chaos: export PYTEST_ADDOPTS := -k once_broke
endif
chaos: $(VENV)/dev ## N=300 random schedules of faults, and each schedule of a few stories; REPLAY=... repeats one
	$(IN_TREE) PYTHONPATH=$(ROOM) $(BIN)/python -m pytest -q -s \
		tests/unit/plugins/plugin_utils/test_chaos.py tests/unit/plugins/plugin_utils/test_chaos_ledger.py \
		tests/unit/plugins/module_utils/work/test_schedules.py

# Whether the unit tests notice wrong code. It takes long, so it is no part of the tests.
mutants: $(VENV)/dev ## which of N=100 changes of the code no unit test notices; SEED=1
	$(IN_TREE) PYTHONPATH=$(ROOM) $(BIN)/python tests/tools/mutants.py $(N) $(SEED)

# Its figures depend on the machine, so it judges nothing, and is no part of the tests.
bench: $(VENV)/dev ## what a task costs; ROUNDS=7, ARGS=--json, ARGS='--only REGEX'
	@$(IN_TREE) PYTHONPATH=$(ROOM) $(BIN)/python -m ansible_collections.huaweicloud.koodrive.tests.benchmark \
		--rounds $(ROUNDS) $(ARGS)

system system-broad: export AWX_COLLECTIONS := $(CURDIR)/$(AWX)
system: $(VENV)/dev $(AWX)/done ## what users do with the whole
	$(IN_TREE) PYTHONPATH=$(ROOM) $(BIN)/python -m pytest -q -n 2 -m 'not broad' tests/system $(ARGS)

system-broad: export GALAXY_IMPORTER := $(CURDIR)/$(IMPORTER)/bin
system-broad: $(VENV)/dev $(IMPORTER)/done $(AWX)/done ## the system tests that take longer
	$(IN_TREE) PYTHONPATH=$(ROOM) $(BIN)/python -m pytest -q -n 2 -m broad tests/system $(ARGS)

matrix: $(VENV)/dev ## the tests with every release in service; ARGS='-s core' and the like choose
	rm -f .build/matrix.json
	$(IN_ROOM) $(BIN)/python -m nox --non-interactive --report .build/matrix.json $(ARGS); \
	$(BIN)/python tests/tools/matrix_table.py .build/matrix.json

ansible-units: $(VENV)/dev ## the unit tests under ansible-test
	$(ANSIBLE_TEST) units $(LOCAL)

integration: $(VENV)/dev ## real playbooks; ARGS=koodrive_space_transfer and the like choose a target
	$(ANSIBLE_TEST) integration $(LOCAL) $(ARGS)

# The faults mostly wait for time-outs, so the other targets run at the same time.
integration-faults: $(VENV)/dev ## those that meet faults
	$(ANSIBLE_TEST) integration $(LOCAL) faults

integration-broad: $(VENV)/dev ## those that take longer
	$(ANSIBLE_TEST) integration $(LOCAL) $(BROAD)

integration-others: $(VENV)/dev ## all others
	$(ANSIBLE_TEST) integration $(LOCAL) $(patsubst %,--exclude %,faults $(BROAD))

# Ansible starts asynchronous tasks in HOME, but looks for them in the user's home. So it gets a path.
room-%: ROOM = $(HERE)/.build/$*
$(STEPS:%=room-%): room-%:
	@tests/tools/new_home.sh $(ROOM)/home
	@tests/tools/new_tree.sh $(TREE)
	@printf '[defaults]\nasync_dir = %s\n' $(ROOM)/home/.ansible_async > $(TREE)/tests/integration/integration.cfg

$(VENV)/demo: requirements-demo.txt
	$(PYTHON) -m venv $(VENV)
	@echo 'Installing the tools of $< into $(VENV). The first time, this can take some minutes.'
	$(BIN)/python -m pip install --disable-pip-version-check -r $<
	touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/demo
	@echo 'Installing the tools of $< into $(VENV). The first time, this can take some minutes.'
	$(BIN)/python -m pip install --disable-pip-version-check -r $<
	touch $@

$(IMPORTER)/done: requirements-importer.txt
	$(PYTHON) -m venv $(IMPORTER)
	$(IMPORTER)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# Only one collection of the package ansible is needed.
$(AWX)/done: $(VENV)/dev
	$(BIN)/python tests/tools/awx_collection.py $(ANSIBLE) $(AWX)
	touch $@

clean: ## remove all that make has made
	rm -rf .build .venv-* .nox
