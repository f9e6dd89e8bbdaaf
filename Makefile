# Every command that a developer or CI runs. `make` lists them.

CARGO   ?= cargo
PROFILE ?= dev
OUT     := target/$(if $(filter release,$(PROFILE)),release,debug)
TOOLS   := target/tools
EVENT   ?= events/rolling.json
LIFE    ?= 60
ROUNDS  ?= 20
SECONDS ?= 60
SEEDS   ?= 50000

# Real peers: programs that are built or fetched once, and the form of the function that is shipped.
CONTROL_PLANE := target/control-plane/bin
PEERS := target/peers
THREADS ?= 6
KILLS   ?= 200

.DEFAULT_GOAL := help
.PHONY: bench bench-candidates bench-real bench-tools bench-instructions help demo invoke build test fuzz simulation conformance kills control-plane peers cluster check fmt format-check lint docs deny measure clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## see six deploys happen on this machine: good, crashing, missing, wrong, switched, unhealthy
	@$(OUT)/landfall-sandbox demo --function $(OUT)/landfall --events events

# CLUSTER=https://… TOKEN_FILE=… CA=…: against a real cluster instead of the sandbox's own.
invoke: build ## one event: make invoke EVENT=events/image.json [CLUSTER=URL TOKEN_FILE=F CA=F]
	@$(OUT)/landfall-sandbox invoke --function $(OUT)/landfall --event $(EVENT) --life $(LIFE) \
	  $(if $(CLUSTER),--cluster $(CLUSTER)) $(if $(TOKEN_FILE),--token-file $(TOKEN_FILE)) \
	  $(if $(CA),--ca $(CA))

build: ## the function and the sandbox (PROFILE=release for the form that is shipped)
	$(CARGO) build --locked --profile $(PROFILE:debug=dev) --workspace

test: ## all tests
	$(CARGO) test --locked --workspace

fuzz: ## break what comes from outside in every way: make fuzz [SECONDS=60], for each of six targets
	LANDFALL_FUZZ_SECONDS=$(SECONDS) $(CARGO) test --locked --test it fuzz:: -- --nocapture

# `make test` takes one in so many of these. SEEDS: mixtures of disturbances, each two deploys.
simulation: ## every disturbance of a switch, pairs of them, and a hundred thousand deploys
	LANDFALL_STRIDE=1 LANDFALL_PAIRS=4 LANDFALL_SEEDS=$(SEEDS) \
	  $(CARGO) test --locked --test it -- --nocapture --test-threads 1 switching_simulation::

# ON=kubeconfig [CONTEXT=name]: in a cluster of yours instead, by nodes that kwok plays in it.
conformance: control-plane peers ## the same stories against real Kubernetes: make conformance [ON=KUBECONFIG]
	$(CARGO) build --locked --release
	$(CARGO) build --locked --workspace
	LANDFALL_BOOTSTRAP=target/release/landfall LANDFALL_PEERS=$(abspath $(PEERS)) \
	  $(OUT)/landfall-control-plane --programs $(CONTROL_PLANE) --stories \
	  $(if $(ON),--kubeconfig $(ON)) $(if $(CONTEXT),--context $(CONTEXT)) -- \
	  $(CARGO) test --locked --quiet --test it -- --include-ignored --format pretty \
	  --test-threads $(THREADS) --skip only_in_sandbox:: --skip simulation:: --skip tidy:: --skip fuzz:: --skip parameters::

# The form that is shipped, by SIGKILL at random moments, its Services watched all along.
kills: control-plane ## the release build killed KILLS times while it switches, against real Kubernetes
	$(CARGO) build --locked --release
	$(CARGO) build --locked --workspace
	LANDFALL_FUNCTION=$(abspath target/release/landfall) LANDFALL_KILLS=$(KILLS) \
	  $(OUT)/landfall-control-plane --programs $(CONTROL_PLANE) --stories -- \
	  $(CARGO) test --locked --quiet --test it -- --include-ignored --format pretty --nocapture \
	  no_kill_leaves_the_service_without_pods

cluster: control-plane ## a real control plane to try things in, until Ctrl-C
	$(CARGO) build --locked --workspace
	$(OUT)/landfall-control-plane --programs $(CONTROL_PLANE)

control-plane: $(CONTROL_PLANE)/.built ## build real Kubernetes, once (Go 1.25; KUBEBUILDER_ASSETS is used)

peers: $(PEERS)/.built ## AWS's own runtime emulator, and moto, once (Python 3)

$(PEERS)/.built: $(wildcard tests/peers/*)
	tests/peers/build.sh $(PEERS)
	@touch $@

$(CONTROL_PLANE)/.built: $(wildcard tests/control-plane/*/go.mod) tests/control-plane/build.sh
	tests/control-plane/build.sh $(CONTROL_PLANE)
	@touch $@

check: format-check lint docs ## formatting, lints, documentation

fmt: ## format the code
	$(CARGO) fmt --all

format-check:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items

deny: $(TOOLS)/bin/cargo-deny ## licences, sources and banned crates of the dependencies
	$(TOOLS)/bin/cargo-deny --locked check licenses bans sources

$(TOOLS)/bin/cargo-deny:
	$(CARGO) install --locked --root $(TOOLS) --version 0.20.2 cargo-deny

measure: ## cold and warm times, memory and calls of the release build
	$(CARGO) build --locked --release --workspace
	target/release/landfall-sandbox measure --function target/release/landfall --rounds $(ROUNDS)

# FUNCTION=PATH: a binary or a package of the function, instead of the one that is built here.
# ROUNDS processes of each candidate; ROLLOUT seconds of the long rollout.
BENCH    := target/bench
ROLLOUT  ?= 60
PACKAGED := $(wildcard target/package/landfall-$(subst aarch64,arm64,$(shell uname -m)).zip)
FUNCTION ?= $(or $(PACKAGED),target/release/landfall)
BENCHED  = --candidates $(BENCH) --floor target/release/landfall-floor --out $(BENCH)

bench: bench-candidates ## beside Python, Node, Go and kubectl: make bench [ROUNDS=20 ROLLOUT=60]
	$(if $(wildcard $(CONTROL_PLANE)/.built),$(MAKE) --no-print-directory bench-real, \
	  @echo "kubectl is not measured: make control-plane builds what it needs"; rm -f $(BENCH)/real.json)
	target/measuring/landfall-bench run $(BENCHED) --rounds $(ROUNDS) --rollout $(ROLLOUT) \
	  --real $(BENCH)/real.json

bench-candidates: bench-tools
	$(if $(filter target/release/landfall,$(FUNCTION)),$(CARGO) build --locked --release)
	$(CARGO) build --locked --release --package landfall-floor
	bench/build.sh $(BENCH) $(FUNCTION)

# A rollout takes seconds there, so there are fewer rounds.
bench-real: control-plane bench-candidates
	target/measuring/landfall-control-plane --programs $(CONTROL_PLANE) -- \
	  target/measuring/landfall-bench real $(BENCHED) --rounds 5

bench-tools:
	$(CARGO) build --locked --profile measuring --package landfall-bench --package landfall-sandbox

bench-instructions: bench-tools ## instructions of a cold deploy, against bench/instructions.txt (valgrind)
	$(if $(filter target/release/landfall,$(FUNCTION)),$(CARGO) build --locked --release)
	target/measuring/landfall-bench instructions --function $(FUNCTION) --prices bench/instructions.txt

clean: ## remove everything that was built
	$(CARGO) clean
