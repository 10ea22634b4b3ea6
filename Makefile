# Every target prints what it does and ends with PASSED or FAILED. Targets that need more than a line are scripts, which can
# be read, linted and run directly.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Targets that run the script of the same name.
SCRIPTED := demo test live sweep lint docs bench install package chaos fuzz

.PHONY: help build clean package-test $(SCRIPTED)

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

build: ## Build the provider and the simulator, optimised, in target/release
	@scripts/build.sh

demo: ## Run the whole guide with a real terraform against the simulator (KEEP=1 leaves it running)
test: ## Run every test; the installed Terraforms share the acceptance tests (TERRAFORM_TESTS=each runs all with each)
live: ## Check the facts and the resources against your own instance (LIVE_INSTANCE=<its host>), and write a report
sweep: ## Show and remove what a killed run of `make live` has left (SHOW=1 only shows it)
lint: ## Check formatting, clippy, documentation links, Terraform formatting, shell scripts, dependency policy
docs: ## Regenerate the reference documentation
bench: ## Run the benchmarks
install: ## Install this build where Terraform and OpenTofu find it without any CLI configuration
package: ## Build the files of a release, as the registry expects them
chaos: ## Run more random seeds of the fault-injection suite
fuzz: ## Fuzz every parser of external input

$(SCRIPTED):
	@scripts/$@.sh

package-test: package ## Build the files of a release and test them as a user would install them
	@scripts/smoke.sh

clean: ## Remove everything that was built or installed into target/
	@rm -rf target
	@echo "make clean: PASSED"
