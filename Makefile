# Two commands matter: `make site` and `make test`. Each does all of its own set-up.
SHELL := /bin/bash
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
ARGS ?=
APPLY ?=
CHECK ?=
TEST := tests/setup/test.sh

.PHONY: help site rollback runner test unit repo lint sanity docs bench lab lab-site clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

site:  ## audit this machine (check mode with diff); APPLY=1 applies; ARGS="..." goes to ansible-playbook
	@APPLY='$(APPLY)' tests/setup/site.sh $(ARGS)

rollback:  ## give back all that APPLY=1 make site changed on this machine; CHECK=1 only says what
	@PLAYBOOK=rollback APPLY='$(if $(CHECK),,1)' tests/setup/site.sh $(ARGS)

runner:  ## write the node's command to dist/gpuwright.pyz, the same bytes as module `runner` installs
	@tests/setup/with.sh python tests/setup/runner.py dist/gpuwright.pyz

test:  ## the whole test suite
	@$(TEST) tests/unit tests/repo tests/gates tests/lab

unit:  ## only the unit tests
	@$(TEST) tests/unit

repo:  ## only the rules of the repository
	@$(TEST) tests/repo

lint:  ## only ansible-lint, ruff, yamllint and the changelog
	@$(TEST) tests/gates/test_ansible_lint.py tests/gates/test_python_lint.py tests/gates/test_changelog.py

sanity:  ## only ansible-test sanity
	@$(TEST) tests/gates/test_sanity.py

docs:  ## write what is generated: argument specs and READMEs of the roles
	@tests/setup/with.sh python docs/generate.py

bench:  ## ratios against lstopo, looped sysctl tasks, plain values, and a loop without slices; not a test
	@BENCH=1 tests/setup/with.sh tests/bench/run.sh

lab:  ## build the image once and bring up the virtual hosts
	@tests/setup/with.sh tests/lab/lab up

lab-site:  ## site.yml for real on two of them
	@tests/setup/with.sh tests/lab/lab site

clean:  ## remove what was made here; the lab's image and other caches in ~/.cache/gpuwright stay
	@[ ! -d .cache/lab ] || tests/lab/lab down --now
	@rm -rf .cache .venv report dist .ansible .pytest_cache .ruff_cache
