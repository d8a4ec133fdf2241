# Everything that one does with this project. `make help` lists it.

SHELL := /bin/bash
.DEFAULT_GOAL := help

SETUP := deploy/setup/setup.sh

# What setup.sh installs for this project comes first.
export PATH := $(CURDIR)/.tools/bin:$(PATH)

# Queries are checked against the committed .sqlx folders; `make sqlx` renews them.
export SQLX_OFFLINE ?= true

# The debug build is there three times sooner than the release build, and fast enough to look at.
# `make run PROFILE=release` for one that carries load.
PROFILE ?= dev

# Which version of Postgres: make test POSTGRES=18. Otherwise the one that this machine has.
POSTGRES ?=
ifneq ($(POSTGRES),)
export TONGXIN_POSTGRES := $(POSTGRES)
endif

# What `make run` gives to the program besides: make run ARGS="--once"
ARGS ?=

.PHONY: help
help: ## Lists what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.PHONY: run
run: ## Builds and runs everything on this machine with the sample year, until Ctrl-C
	@$(SETUP) compiler postgres nats
	cargo run --profile $(PROFILE) --bin tongxin -- up --sample qingyuan-2025 $(ARGS)

.PHONY: test
test: ## Runs every test, on private servers of its own; `make test POSTGRES=18`: on that version of Postgres
	@$(SETUP) compiler postgres nats buf python node
	cargo build --workspace
	cargo test --workspace

.PHONY: check
check: ## Looks for all that is wrong without running: format, lints, contract, licenses
	@$(SETUP) compiler buf deny
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cd proto && buf lint
	cd proto && buf format --diff --exit-code
	cargo-deny check bans licenses sources

.PHONY: office-test
office-test: ## LibreOffice opens and saves templates and exports, and they still import; installs it where it is missing
	@$(SETUP) compiler postgres nats office
	cargo build --bin tongxin
	tests/office/office.sh target/debug/tongxin

# Parts of the bench: `make bench -- drills` runs one.
PARTS := writes batches reads households register files drills

.PHONY: bench $(PARTS)
bench: ## Measures against bare SQL on this machine; `make bench -- drills`: what attacks cost a good client
	@$(SETUP) compiler postgres nats
	cargo build --workspace --release --bins
	cargo bench --workspace --bench bench -- $(filter $(PARTS),$(MAKECMDGOALS))
$(PARTS): ;

.PHONY: pages
pages: ## Writes proto/ERRORS.md and PERMISSIONS.md anew, after a change to what is refused or granted
	TONGXIN_WRITE_PAGES=1 cargo test --package tongxin-tests --test it -- errors::the_page permissions::the_page

.PHONY: sqlx
sqlx: ## Renews the .sqlx folders, after a change to a query or a migration
	@$(SETUP) compiler postgres
	deploy/setup/sqlx.sh

.PHONY: sqlx-check
sqlx-check: ## Fails when `make sqlx` would change something
	@$(SETUP) compiler postgres
	deploy/setup/sqlx.sh --check

.PHONY: advisories
advisories: ## Looks for known holes in dependencies (fetches the advisory database with git)
	@$(SETUP) compiler deny
	cargo-deny check advisories

.PHONY: setup
setup: ## Installs what is missing: Postgres, nats-server, buf, grpcio-tools, connect-web, cargo-deny
	@$(SETUP) compiler postgres nats buf python node deny

.PHONY: clean
clean: ## Removes what was built and the tools of setup, but no data
	cargo clean
	rm -rf .tools

.PHONY: clean-data
clean-data: ## Removes the data of `make run`
	deploy/setup/clean-data.sh .tongxin
