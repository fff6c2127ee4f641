# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The newest Python >= 3.11 on the PATH that really runs: a name that is there may be a shim that only fails.
PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
ifeq ($(strip $(PYTHON)),)
$(error No Python 3.11 or newer was found on the PATH; name one with PYTHON=/path/to/python3)
endif
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

N ?= 300
ROUNDS ?= 7
VENV := $(CURDIR)/.venv-$(VERSION)
BIN := $(VENV)/bin
COLLECTIONS := $(CURDIR)/.build/collections
TREE := $(COLLECTIONS)/ansible_collections/huaweicloud/koodrive
# The release of the package ansible that AWX's modules are taken from.
ANSIBLE := 12.3.0
AWX := $(CURDIR)/.build/ansible-$(ANSIBLE)

# The collection that is worked on, and no other that may be installed; the tools of the virtual environment first.
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export NO_COLOR := 1
export PATH := $(BIN):$(PATH)
# What a user has set must not decide what a test sees.
unexport KOODRIVE_ENDPOINT KOODRIVE_TOKEN KOODRIVE_APP_ID KOODRIVE_APP_SECRET KOODRIVE_USER_ID KOODRIVE_LANGUAGE
unexport ANSIBLE_CONFIG

ANSIBLE_TEST := cd $(TREE) && $(BIN)/ansible-test
LOCAL := --local --requirements --python $(VERSION) --color no

.PHONY: help demo simulator test lint types docs-lint sanity unit chaos bench matrix docs system ansible-units integration integration-faults integration-others tree clean

help:
	@echo "make demo         the main job, against a simulated KooDrive"
	@echo "make simulator    a simulated KooDrive to try playbooks on; see 'ARGS=--help'"
	@echo "make bench        what a task costs; ROUNDS=7, ARGS=--json"
	@echo "make chaos N=300  so many schedules of faults"
	@echo "make matrix       the tests with every release in service; ARGS='-s core' and the like choose"
	@echo "make docs         the documentation as HTML, in .build/docs"
	@echo "make test         all tests: lint types docs-lint sanity docs integration system ansible-units"

demo: $(VENV)/demo tree
	@$(BIN)/python -m tests.demo

simulator: $(VENV)/demo
	$(BIN)/python -m tests.simulator $(ARGS)

# Two at a time, as there are two cores at least. Some of the unit tests measure times, so what goes on beside them takes little.
test:
	@$(MAKE) --no-print-directory -j2 --output-sync=target integration-faults integration-others system sanity
	@$(MAKE) --no-print-directory -j2 --output-sync=target ansible-units lint types docs-lint docs

lint: $(VENV)/dev tree
	cd $(TREE) && ANSIBLE_ROLES_PATH=tests/integration/targets $(BIN)/ansible-lint --offline --profile production

types: $(VENV)/dev tree
	cd $(COLLECTIONS) && $(BIN)/mypy --config-file $(TREE)/mypy.ini

docs-lint: $(VENV)/dev tree
	cd $(TREE) && $(BIN)/antsibull-docs lint-collection-docs --plugin-docs .
	cd $(TREE) && $(BIN)/antsibull-changelog lint

# The pages that antsibull-docs makes of the collection, as HTML. A reference to nowhere is an error.
docs: $(VENV)/dev tree
	rm -rf .build/docs
	mkdir -p -m 755 .build/docs/rst
	$(BIN)/antsibull-docs collection --use-current --squash-hierarchy --cleanup everything --dest-dir .build/docs/rst huaweicloud.koodrive
	$(BIN)/sphinx-build -q -W --keep-going -b html -c docs/docsite .build/docs/rst .build/docs/html
	@echo "The documentation: $(CURDIR)/.build/docs/html/index.html"

sanity: $(VENV)/dev tree
	$(BIN)/python tests/tools/seed_get_pip.py
	$(ANSIBLE_TEST) sanity $(LOCAL)

unit: $(VENV)/dev tree
	cd $(TREE) && PYTHONPATH=$(COLLECTIONS) $(BIN)/python -m pytest -n 2 tests/unit $(ARGS)

chaos: export KOODRIVE_CHAOS := $(N)
chaos: $(VENV)/dev tree
	cd $(TREE) && PYTHONPATH=$(COLLECTIONS) $(BIN)/python -m pytest -q -s tests/unit/plugins/plugin_utils/test_chaos.py

# Its figures are of this machine at this time: it judges nothing, and is no part of the tests.
bench: $(VENV)/dev tree
	@cd $(TREE) && PYTHONPATH=$(COLLECTIONS) $(BIN)/python -m ansible_collections.huaweicloud.koodrive.tests.benchmark \
		--rounds $(ROUNDS) $(ARGS)

# What users do with the whole, each once.
system: export AWX_COLLECTIONS := $(AWX)
system: export GALAXY_IMPORTER := $(VENV)/importer/bin
system: $(VENV)/dev $(VENV)/importer/done $(AWX)/done tree
	cd $(TREE) && PYTHONPATH=$(COLLECTIONS) $(BIN)/python -m pytest -q -n 2 tests/system $(ARGS)

matrix: $(VENV)/dev tree
	rm -f .build/matrix.json
	$(BIN)/python -m nox --non-interactive --report .build/matrix.json $(ARGS); \
	$(BIN)/python tests/tools/matrix_table.py .build/matrix.json

ansible-units: $(VENV)/dev tree
	$(ANSIBLE_TEST) units $(LOCAL)

integration: $(VENV)/dev tree
	$(ANSIBLE_TEST) integration $(LOCAL) $(ARGS)

# The faults wait for time-outs most of the time, and the others can go on meanwhile.
integration-faults: $(VENV)/dev tree
	$(ANSIBLE_TEST) integration $(LOCAL) faults

integration-others: $(VENV)/dev tree
	$(ANSIBLE_TEST) integration $(LOCAL) --exclude faults

# ansible-test wants a real directory of this name; a copy of what git knows, or would know, keeps it clean. It looks for
# the repository that a file belongs to, and in this one the whole copy is ignored: so the copy gets one of its own.
tree:
	@rm -rf $(TREE)
	@mkdir -p $(TREE)
	@git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do \
		[ -e "$$file" ] && printf '%s\0' "$$file"; done | tar --null -T - -cf - | tar -xf - -C $(TREE)
	@git -C $(TREE) init --quiet

$(VENV)/demo: requirements-demo.txt tests/simulator/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(VENV)/dev: requirements-dev.txt requirements-demo.txt tests/simulator/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $(VENV)/demo $@

$(VENV)/importer/done: requirements-importer.txt
	$(PYTHON) -m venv $(VENV)/importer
	$(VENV)/importer/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# Of the package with all of Ansible's collections, the one that is needed.
$(AWX)/done: $(VENV)/dev
	mkdir -p $(AWX)
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --dest $(AWX) ansible==$(ANSIBLE)
	$(BIN)/python -c 'import glob, zipfile; wheel = zipfile.ZipFile(glob.glob("$(AWX)/*.whl")[0]); \
		wheel.extractall("$(AWX)", [name for name in wheel.namelist() if name.startswith("ansible_collections/awx/")])'
	rm $(AWX)/*.whl
	touch $@

clean:
	rm -rf .build .venv-* .nox

SHELL := /bin/bash
