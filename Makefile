# Every target prints what it is doing and ends with a plain verdict.
# Those that need more than a line are scripts, where they can be read, linted and run by hand.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Targets whose work is a script of the same name.
SCRIPTED := demo test lint docs bench package chaos fuzz

.PHONY: help build clean $(SCRIPTED)

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

build: ## The provider and the simulator, optimised, in target/release
	@scripts/build.sh

demo: ## The whole guide through a real terraform against the simulator (KEEP=1 leaves it running)
test: ## Every test, acceptance tests on every Terraform at hand
lint: ## Formatting, clippy, doc links, Terraform formatting, shell scripts, dependency policy
docs: ## Regenerate the reference documentation
bench: ## Benchmarks
package: ## The files of a release, in the registry's shape
chaos: ## The acceptance configuration against a simulator that misbehaves
fuzz: ## Fuzzing of everything that reads foreign bytes

$(SCRIPTED):
	@if [ -x scripts/$@.sh ]; then scripts/$@.sh; \
	else echo "make $@: FAILED (there is no scripts/$@.sh yet; nothing was done)" >&2; exit 1; fi

clean: ## Remove everything that was built or installed into target/
	@rm -rf target
	@echo "make clean: PASSED"
