# All commands for developers and CI. `make` lists them.

CARGO   ?= cargo
PROFILE ?= dev
OUT     := $(or $(CARGO_TARGET_DIR),target)/$(if $(filter release,$(PROFILE)),release,debug)
TOOLS   := target/tools
EVENT   ?= events/rolling.json
LIFE    ?= 60
ROUNDS  ?= 20
SECONDS ?= 60
SEEDS   ?= 50000
# How many stories run in parallel: a story mostly waits, and all of them together take two minutes of one core.
STORIES ?= 16
ALL_IT = $(CARGO) test --locked --workspace --test it --

# Real peers: programs that are built or downloaded once, and the packaged function.
CONTROL_PLANE := target/control-plane/bin
PEERS := target/peers
THREADS ?= 6
KILLS   ?= 200

# The package for AWS: cargo-lambda builds it with zig's C library, on any machine.
PYTHON  := $(TOOLS)/python/bin/python
PACKAGE := target/package
MACHINE := $(subst aarch64,arm64,$(shell uname -m))
# The architectures whose standard library rustup has installed; without rustup, this machine's.
ARCHITECTURES = $(or $(strip $(foreach target,$(shell rustup target list --installed 2>/dev/null),\
  $(if $(filter x86_64-unknown-linux-gnu,$(target)),x86_64) \
  $(if $(filter aarch64-unknown-linux-gnu,$(target)),arm64))),$(MACHINE))
WITH_TOOLS := PATH="$(abspath $(TOOLS)/python/bin):$$PATH"
SAM := $(WITH_TOOLS) SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 sam

# The function in your own account: its stack, and the stack's parameters (template.yaml).
STACK ?= landfall
PARAMETERS ?=
TAGS ?=
TARGET = $(if $(findstring Architecture=arm64,$(PARAMETERS)),aarch64,x86_64)-unknown-linux-gnu

.DEFAULT_GOAL := help
.PHONY: release twice texts emulated bench bench-docs bench-candidates bench-real bench-load bench-releases bench-tools bench-instructions help demo access deploy picture invoke build test fuzz yaml-cases simulation mutations package validate sam-build shared cdk terraform conformance kills control-plane peers tools cluster check fmt format-check house lint page-check docs docs-site deny measure clean

# A command for whoever uses Landfall has `##!` before its description, one for developers `##`.
help: ## list all commands
	@echo 'To try and to use Landfall:'
	@awk -F ':.*##! ' '/^[a-z-]+:.*##! / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo 'To work on it:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ##! see nine deploys happen on this machine: good, crashing, missing, wrong, switched, unhealthy, a canary whose alarm rings, a release, a migration
	@$(OUT)/landfall-sandbox demo --function $(OUT)/landfall --events events

# Update the picture when the demo changes.
picture: build tools ## record the demo as an animation, docs/demo.svg
	$(PYTHON) tests/tools/picture.py docs/demo.svg \
	  $(OUT)/landfall-sandbox demo --function $(OUT)/landfall --events events --act 2 --act 7

# An emulator of the other processor: its package answers each of the sample events, under AWS's runtime emulator.
emulated: package-arm64 peers ## run the arm64 package with each of events/ (Debian's qemu-user and libc6-arm64-cross)
	printf '#!/bin/sh\nexec qemu-aarch64 -L /usr/aarch64-linux-gnu %s "$$@"\n' \
	  $(abspath $(PACKAGE)/arm64/bootstrap) > $(PACKAGE)/arm64/emulated
	chmod +x $(PACKAGE)/arm64/emulated
	LANDFALL_BOOTSTRAP=$(abspath $(PACKAGE)/arm64/emulated) LANDFALL_PEERS=$(abspath $(PEERS)) \
	  $(CARGO) test --locked --test it -- --include-ignored --nocapture emulator::

# PARAMETERS="EksCluster=prod CreateAccessEntry=yes": those that you do not name keep their values.
deploy: tools ##! build the function and deploy its stack to AWS: make deploy PARAMETERS="Name=value ..." [STACK=landfall TAGS="name=value ..."]
	@if command -v rustup >/dev/null; then rustup target add $(TARGET); fi
	$(WITH_TOOLS) sam build $(if $(PARAMETERS),--parameter-overrides $(PARAMETERS))
	$(WITH_TOOLS) sam deploy --stack-name $(STACK) $(if $(PARAMETERS),--parameter-overrides $(PARAMETERS)) $(if $(TAGS),--tags $(TAGS))

# USER_PARAMETERS='{"deployment": "web", …}': an action with these instead of an event; write $$ for $.
# CONTEXT=kind-kind: in a cluster of your kubeconfig. CLUSTER=https://… TOKEN_FILE=… CA=…: by a token.
invoke: build ##! run one event: make invoke EVENT=events/image.json [USER_PARAMETERS='{…}'] [ARTIFACT=FOLDER] [CONTEXT=NAME]
	@$(OUT)/landfall-sandbox invoke --function $(OUT)/landfall --life $(LIFE) \
	  $(if $(USER_PARAMETERS),--parameters '$(subst ','\'',$(USER_PARAMETERS))',--event $(EVENT)) \
	  $(if $(ARTIFACT),--artifact $(ARTIFACT)) $(if $(CONTEXT),--context $(CONTEXT)) \
	  $(if $(CLUSTER),--cluster $(CLUSTER)) $(if $(TOKEN_FILE),--token-file $(TOKEN_FILE)) \
	  $(if $(CA),--ca $(CA))

# Uses your kubectl and AWS CLI; without --apply it changes nothing.
access: ##! give Landfall its access to a cluster; without --apply it only shows what it would do: make access ARGS="--eks-cluster prod --namespace shop"
	@$(CARGO) build --locked --profile $(PROFILE:debug=dev) -p landfall-access
	@$(OUT)/landfall-access $(ARGS)

build: ## build the function, the access tool and the sandbox (PROFILE=release for the optimized form)
	$(CARGO) build --locked --profile $(PROFILE:debug=dev) --workspace

test: ## run all tests
	$(CARGO) test --locked --workspace --lib --bins
	$(CARGO) test --locked --test house
	$(CARGO) test --locked --workspace --test it --no-run
	@echo 'The simulations run beside the stories: their output comes last.'
	@nice $(ALL_IT) simulation:: --test-threads 1 >$(OUT)/simulations.log 2>&1 & simulations=$$!; \
	  $(ALL_IT) --skip simulation:: --test-threads $(STORIES); stories=$$?; \
	  wait $$simulations; computed=$$?; cat $(OUT)/simulations.log; test $$stories = 0 -a $$computed = 0

fuzz: ## test with damaged input: make fuzz [SECONDS=60], for each of eight targets
	LANDFALL_FUZZ_SECONDS=$(SECONDS) $(CARGO) test --locked --test it fuzz:: -- --nocapture

# What kubectl makes of each text of the corpus; where it says something new the test fails.
yaml-cases: control-plane ## compare the YAML in tests/yaml/cases.json with kubectl
	python3 tests/tools/yaml_cases.py $(CONTROL_PLANE)/kubectl tests/yaml/cases.json

# `make test` runs a part of these. SEEDS: mixtures of disturbances, each with two deploys, on all cores.
# The tests are optimized here as well, without the standard library's checks at each allocation, and in few large
# parts, which an incremental build has not: a minute of building saves half an hour.
SIMULATED := profile.dev.package.landfall
simulation: export CARGO_INCREMENTAL := 0
simulation: ## simulate every disturbance of a switch and of a release, pairs of them, and a hundred thousand deploys
	LANDFALL_STRIDE=1 LANDFALL_PAIRS=4 LANDFALL_SEEDS=$(SEEDS) RELEASE_STRIDE=1 RELEASE_SEEDS=2000 \
	  $(CARGO) test --config $(SIMULATED).opt-level=1 --config $(SIMULATED).debug-assertions=false \
	  --config $(SIMULATED).overflow-checks=true --locked --test it -- --nocapture --test-threads 1 \
	  switching_simulation:: release_simulation::

# KINDS: those kinds alone, such as "A K3". The copy is built once; target/mutations keeps it.
mutations: ## break the rules of the code one by one: does a field case notice? make mutations [KINDS="A K3"]
	python3 tests/tools/mutations.py tests/mutations.json target/mutations $(KINDS)

package: $(addprefix package-,$(ARCHITECTURES)) ## build the zip for Lambda, for each architecture that rustup has

package-%: tools
	$(WITH_TOOLS) $(CARGO) lambda build --locked --release \
	  --bin landfall --$(subst _,-,$*) --lambda-dir $(PACKAGE)/$* --flatten landfall
	$(PYTHON) tests/tools/package.py $(PACKAGE)/$*/bootstrap $* $(PACKAGE)/landfall-$*.zip

# No path of this machine is in the programs, so that the same tools make the same bytes in any folder. These flags
# have files of their own, or `make package` would build everything anew after it.
DIST ?= dist
RELEASE := target/release-files
TRIPLE = $(if $(filter arm64,$*),aarch64,x86_64)-unknown-linux-gnu
REMAPPED := RUSTFLAGS="--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo --remap-path-prefix=$(CURDIR)=/landfall"
release: $(addprefix release-,$(ARCHITECTURES)) ## put a release into dist/: packages, landfall-access, template, SBOM, licences, checksums
	rm -rf $(DIST)
	$(PYTHON) tests/tools/release.py $(DIST) $(RELEASE)/out \
	  $(foreach it,$(ARCHITECTURES),$(if $(filter arm64,$(it)),aarch64,x86_64)-unknown-linux-gnu)

release-%: tools
	for program in landfall landfall-access; do \
	  $(WITH_TOOLS) $(REMAPPED) CARGO_TARGET_DIR=$(RELEASE) $(CARGO) lambda build --locked --release \
	    --package $$program --bin $$program --$(subst _,-,$*) --lambda-dir $(RELEASE)/out/$(TRIPLE)/$$program --flatten $$program && \
	  cp $(RELEASE)/out/$(TRIPLE)/$$program/bootstrap $(RELEASE)/out/$(TRIPLE)/$$program.built || exit 1; \
	done
	mv $(RELEASE)/out/$(TRIPLE)/landfall.built $(RELEASE)/out/$(TRIPLE)/bootstrap
	rm -rf $(RELEASE)/out/$(TRIPLE)/landfall-access
	mv $(RELEASE)/out/$(TRIPLE)/landfall-access.built $(RELEASE)/out/$(TRIPLE)/landfall-access

# Twice the time of a release; so it is for a release, not for each change. The tools that are there are used: what
# they were made from is as old as they.
TWICE := target/twice
twice: tools ## make a release of what is committed in two folders, and compare the bytes
	rm -rf $(TWICE)
	commit=$$(git rev-parse HEAD); for folder in one another-folder/deeper; do \
	  mkdir -p $(TWICE)/$$folder && git archive $$commit | tar -x -C $(TWICE)/$$folder && \
	  touch -t 200001010000 $(TWICE)/$$folder/tests/tools/requirements.txt && \
	  $(MAKE) -C $(TWICE)/$$folder release TOOLS=$(abspath $(TOOLS)) DIST=dist || exit 1; \
	done
	diff --recursive $(TWICE)/one/dist $(TWICE)/another-folder/deeper/dist
	@echo "both are the same:" && cat $(TWICE)/one/dist/SHA256SUMS

texts: tools ## check the templates, YAML and JSON, the commands of the documents, and the examples (without AWS)
	$(PYTHON) tests/tools/validate.py target/templates
	$(PYTHON) tests/tools/shared.py packaging/terraform --check
	$(PYTHON) tests/tools/site.py - target/site --only-list
	$(PYTHON) tests/tools/commands.py
	$(PYTHON) -W ignore tests/tools/stack.py target/templates/template.json
	$(PYTHON) -W ignore tests/tools/chat.py target/templates/template.json
	$(PYTHON) -W ignore tests/tools/stack.py target/templates/packaged.json Least Refused
	$(WITH_TOOLS) $(PYTHON) -W ignore examples/check.py

validate: texts sam-build ## `make texts` and `make sam-build`

# SAM must build the same binary as `make package`; the second build reuses the first.
sam-build: tools ## build the packages, and compare them with what `sam build` makes
	$(MAKE) package
	@set -e; for architecture in $(ARCHITECTURES); do \
	  $(SAM) build --build-dir target/sam/$$architecture \
	    --parameter-overrides Architecture=$$architecture; \
	  cmp target/sam/$$architecture/Function/bootstrap $(PACKAGE)/$$architecture/bootstrap; \
	done

shared: tools ## take alarms, dashboard and chat messages out of template.yaml for the CDK and Terraform
	$(PYTHON) tests/tools/shared.py packaging/terraform

# Any folder stands for the function's zip here: nothing is deployed. W3005: the CDK says twice what depends on what.
cdk: tools ## test the CDK constructs, compare them with template.yaml, and synthesize and lint their example pipeline (needs Node.js 22 or later, and npm)
	mkdir -p target/cdk
	rm -rf target/cdk/function # a run that was interrupted leaves it
	cp -R packaging/cdk/. target/cdk
	cd target/cdk && { cmp -s package-lock.json node_modules/.landfall || \
	  { npm ci --no-fund --no-audit && cp package-lock.json node_modules/.landfall; }; }
	cd target/cdk && node tools/parameters.mjs --check && npm run --silent build && npm test && node test/alike.mjs alike
	$(PYTHON) tests/tools/alike.py cdk target/cdk/alike
	cd target/cdk && npm pack --silent && rm -rf function && \
	  tar -tzf landfall-cdk-*.tgz package/lib/index.js package/schema/shared.json package/.jsii
	cd target/cdk && LANDFALL_ZIP=lib CDK_OUTDIR=out node example/app.mjs
	$(WITH_TOOLS) AWS_DEFAULT_REGION=eu-central-1 cfn-lint --ignore-checks W3005 -- \
	  target/cdk/out/*.template.json target/cdk/alike/*.template.json

terraform: tools ## format, validate and test the Terraform module, and compare it with template.yaml, where Terraform and its AWS provider are at hand
	$(PYTHON) tests/tools/terraform.py packaging/terraform target/terraform

# ON=kubeconfig [CONTEXT=name]: in your own cluster, on nodes that kwok simulates.
# The test of people interfering with a switch measures times, so it runs alone. A part of the
# stories runs again by IAM, whose tokens aws-iam-authenticator's own verifier checks.
STORIES_BY_IAM := rolling:: blue_green:: immutable:: refusals:: resume:: access::
conformance: package-$(MACHINE) control-plane peers ## run the stories against real Kubernetes: make conformance [ON=KUBECONFIG]
	$(CARGO) build --locked --workspace
	LANDFALL_BOOTSTRAP=$(PACKAGE)/$(MACHINE)/bootstrap LANDFALL_PEERS=$(abspath $(PEERS)) \
	  $(OUT)/landfall-control-plane --programs $(CONTROL_PLANE) --stories \
	  $(if $(ON),--kubeconfig $(ON)) $(if $(CONTEXT),--context $(CONTEXT)) -- \
	  $(CARGO) test --locked --quiet --test it -- --include-ignored --format pretty \
	  --test-threads $(THREADS) --skip only_in_sandbox:: --skip simulation:: --skip fuzz:: \
	  --skip parameters:: --skip meddling:: $(if $(ON),--skip by_iam:: --skip by_kubeconfig::)
	$(if $(ON),,LANDFALL_STORIES_BY=iam LANDFALL_BOOTSTRAP=$(PACKAGE)/$(MACHINE)/bootstrap \
	  $(OUT)/landfall-control-plane --programs $(CONTROL_PLANE) --stories -- \
	  $(CARGO) test --locked --quiet --test it -- --include-ignored --format pretty \
	  --test-threads $(THREADS) $(STORIES_BY_IAM))
	LANDFALL_BOOTSTRAP=$(PACKAGE)/$(MACHINE)/bootstrap \
	  $(OUT)/landfall-control-plane --programs $(CONTROL_PLANE) --stories \
	  $(if $(ON),--kubeconfig $(ON)) $(if $(CONTEXT),--context $(CONTEXT)) -- \
	  $(CARGO) test --locked --quiet --test it -- --include-ignored --format pretty meddling::
	$(OUT)/landfall-control-plane --programs $(CONTROL_PLANE) --stories \
	  $(if $(ON),--kubeconfig $(ON)) $(if $(CONTEXT),--context $(CONTEXT)) -- \
	  $(CARGO) test --locked --quiet -p landfall-access --test it -- --include-ignored --format pretty real::

# Kills the packaged function with SIGKILL at random moments, and watches its Services all the time.
kills: package-$(MACHINE) control-plane ## the packaged function killed KILLS times while it switches, in a canary too, and while it releases, and people in its way, against real Kubernetes
	$(CARGO) build --locked --workspace
	LANDFALL_FUNCTION=$(abspath $(PACKAGE)/$(MACHINE)/bootstrap) LANDFALL_KILLS=$(KILLS) \
	  $(OUT)/landfall-control-plane --programs $(CONTROL_PLANE) --stories -- \
	  $(CARGO) test --locked --quiet --test it -- --include-ignored --format pretty --nocapture \
	  no_kill_leaves_the_service_without_pods no_kill_leaves_a_release_half_done \
	  a_canary_that_is_killed_at_any_step_goes_on nobody_in_the_middle_leaves_the_service_empty_or_mixed

cluster: control-plane ## start a real control plane for experiments, until Ctrl-C
	$(CARGO) build --locked --workspace
	$(OUT)/landfall-control-plane --programs $(CONTROL_PLANE)

control-plane: $(CONTROL_PLANE)/.built ## build real Kubernetes and aws-iam-authenticator's verifier, once (Go 1.26.2; KUBEBUILDER_ASSETS is used)

tools: $(TOOLS)/python/.built ## install cargo-lambda, SAM, cfn-lint and moto, once (Python 3)

$(TOOLS)/python/.built: tests/tools/requirements.txt
	python3 -m venv $(TOOLS)/python
	$(PYTHON) -m pip --disable-pip-version-check --quiet install --requirement $<
	@touch $@

peers: $(PEERS)/.built ## install AWS's runtime emulator, and moto, once (Python 3)

$(PEERS)/.built: tests/peers/build.sh $(wildcard tests/peers/*.txt)
	tests/peers/build.sh $(PEERS)
	@touch $@

$(CONTROL_PLANE)/.built: $(wildcard tests/control-plane/*/go.mod tests/control-plane/*/*.go) tests/control-plane/build.sh
	tests/control-plane/build.sh $(CONTROL_PLANE)
	@touch $@

check: format-check house lint docs ## check formatting, the floor plan, lints, documentation

fmt: ## format the code
	$(CARGO) fmt --all

format-check:
	$(CARGO) fmt --all --check

# The same tests run again with `make test`; here they fail before anything slow begins.
house:
	$(CARGO) test --locked --quiet --test house

# The function alone, too: in the workspace it has features that only the sandbox asks for.
lint:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) check --locked --package landfall

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items

docs-site: $(TOOLS)/bin/mdbook ## build the documents as a site with search, target/site, and follow its links (needs npm)
	python3 tests/tools/site.py $(TOOLS)/bin/mdbook target/site

$(TOOLS)/bin/mdbook:
	$(CARGO) install --locked --root $(TOOLS) --version 0.5.4 mdbook

# Pages of several outcomes, as the function writes them. It is skipped where there is no chromium.
PAGE := target/page
page-check: build ## look at pages of reports in a headless Chromium: accessibility by axe, pictures in target/page (needs npm)
	mkdir -p $(PAGE)
	npm install --silent --no-audit --no-fund --no-save --prefix $(PAGE) axe-core@4.14.1
	python3 tests/tools/page.py $(PAGE)/node_modules/axe-core/axe.min.js $(PAGE) $(OUT)/landfall-sandbox $(OUT)/landfall

deny: $(TOOLS)/bin/cargo-deny ## check licences, sources and banned crates of the dependencies
	$(TOOLS)/bin/cargo-deny --locked check licenses bans sources

# Its optimized form takes longer to build than all its checks.
$(TOOLS)/bin/cargo-deny:
	$(CARGO) install --locked --debug --root $(TOOLS) --version 0.20.2 cargo-deny

measure: ## measure cold and warm times, memory and calls of the release build
	$(CARGO) build --locked --release --workspace
	target/release/landfall-sandbox measure --function target/release/landfall --rounds $(ROUNDS)

# FUNCTION=PATH: another binary or package of the function.
# ROUNDS: processes per candidate; ROLLOUT: seconds of the long rollout.
BENCH   := target/bench
ROLLOUT ?= 60
BENCHED  = --candidates $(BENCH) --floor target/release/landfall-floor --out $(BENCH)

bench: bench-candidates ## compare with Python, Node, Go and kubectl, the load on the API server too, half an hour: make bench [ROUNDS=20 ROLLOUT=60 PODS=3,100,5000 DEPLOYS=1,10,100 FUNCTION=PATH]
	$(if $(wildcard $(CONTROL_PLANE)/.built),$(MAKE) --no-print-directory bench-real bench-load,\
	  @rm -f $(BENCH)/real.json $(BENCH)/load.json; \
	  echo "kubectl and the load are left out: make control-plane builds what they need")
	target/measuring/landfall-bench run $(BENCHED) --rounds $(ROUNDS) --rollout $(ROLLOUT) \
	  --real $(BENCH)/real.json --load $(BENCH)/load.json

# A block between `<!-- figures of NAME.md -->` and `<!-- end of figures -->` is what make wrote; one whose file is not
# there stays as it is.
bench-docs: ## copy the last figures of make bench and its charts into docs/performance.md
	for chart in bench felt; do if [ -e $(BENCH)/$$chart.svg ]; then cp $(BENCH)/$$chart.svg docs/; fi; done
	awk '/^<!-- end of figures/ { old = 0 } !old { print } \
	  /^<!-- figures of / { file = "$(BENCH)/" $$4; sub(/:$$/, "", file); if ((getline line < file) > 0) { old = 1; print line; \
	    while ((getline line < file) > 0) print line } }' \
	  docs/performance.md > $(BENCH)/performance.md
	mv $(BENCH)/performance.md docs/performance.md

bench-candidates: bench-tools $(if $(FUNCTION),,package-$(MACHINE))
	$(CARGO) build --locked --release --package landfall-floor
	bench/build.sh $(BENCH) $(or $(FUNCTION),$(PACKAGE)/landfall-$(MACHINE).zip)

# A real rollout takes longer, so there are fewer rounds.
bench-real:
	target/measuring/landfall-control-plane --programs $(CONTROL_PLANE) -- \
	  target/measuring/landfall-bench real $(BENCHED) --rounds 5

# Most of its time is the rollouts of 5,000 pods, one of each candidate.
bench-load: ## the load on the API server alone, after make bench-candidates: calls, bytes, many deploys at once
	target/measuring/landfall-control-plane --programs $(CONTROL_PLANE) -- \
	  target/measuring/landfall-bench load $(BENCHED) $(if $(PODS),--pods $(PODS)) $(if $(DEPLOYS),--deploys $(DEPLOYS))

bench-releases: bench-tools control-plane $(if $(FUNCTION),,package-$(MACHINE)) ## compare releases of 200 and 2,000 objects with kubectl apply and diff: make bench-releases [OBJECTS=10,100,1000 ROUNDS=5 FUNCTION=PATH]
	target/measuring/landfall-control-plane --programs $(CONTROL_PLANE) -- \
	  target/measuring/landfall-bench releases --out $(BENCH) $(if $(filter-out file,$(origin ROUNDS)),--rounds $(ROUNDS)) \
	  $(if $(OBJECTS),--objects $(OBJECTS)) \
	  --function $(or $(FUNCTION),$(PACKAGE)/$(MACHINE)/bootstrap)

bench-tools:
	$(CARGO) build --locked --profile measuring --package landfall-bench --package landfall-sandbox

# What is counted is the function: the program that counts need not be optimized.
bench-instructions: build $(if $(FUNCTION),,package-$(MACHINE)) ## compare the instructions of a cold deploy with bench/instructions.txt
	$(OUT)/landfall-bench instructions --prices bench/instructions.txt \
	  --function $(or $(FUNCTION),$(PACKAGE)/$(MACHINE)/bootstrap)

clean: ## remove everything that was built
	$(CARGO) clean
