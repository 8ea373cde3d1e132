# The two that a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NODE := build/node/.installed

# Some images have Python keep no bytecode: each of the gateways and backends that are started would
# compile all modules anew, a third of what its start costs.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint bench chaos reload profile docs graphiql swagger-ui clean

demo: $(INSTALLED)
	@$(BIN)/gateway demo

test: $(INSTALLED) $(NODE)
	@command -v curl >/dev/null || .ci/apt-install curl "tests run the calls that are printed for it"
	@command -v chromium >/dev/null || .ci/apt-install chromium "the pages are tested in a browser, or not at all" || true
	@command -v redis-server >/dev/null || .ci/apt-install redis-server "limits and caches are tested with it, or not at all" || true
	@/sbin/ldconfig -p | grep -q libatomic.so.1 || .ci/apt-install libatomic1 "what drives the browser needs it" || true
	$(BIN)/python -m pytest $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The gateway against its peers, its client against grpc.aio, its memory, and its parts, in
# less than half an hour; see docs/performance.md. `make bench ARGS=--quick` is for a first look.
bench: $(INSTALLED)
	@command -v wrk >/dev/null || .ci/apt-install wrk "it makes the load of the benchmarks"
	@command -v redis-server >/dev/null || .ci/apt-install redis-server "limits and replies are kept in it" || true
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python bench/rest.py $(ARGS)
	$(BIN)/python bench/rest.py --istio --case 'GET one' --connections 32 --peers gateway,envoy,obvious $(ARGS)
	$(BIN)/python bench/policies.py $(ARGS)
	$(BIN)/python bench/graphql_front.py $(ARGS)
	$(BIN)/python bench/projection.py
	$(BIN)/python bench/websocket.py $(ARGS)
	$(BIN)/python bench/client.py $(ARGS)
	$(BIN)/python bench/memory.py $(ARGS)
	$(BIN)/python bench/routing.py
	$(BIN)/python bench/codec.py
	$(BIN)/python bench/identity.py
	$(BIN)/python bench/limits.py
	$(BIN)/python bench/http_features.py
	$(BIN)/python bench/telemetry.py $(ARGS)
	$(BIN)/python bench/balancing.py

# Two minutes of random faults under load: what clients saw, and what is left (nothing). See docs/resilience.md.
chaos: $(INSTALLED)
	@$(BIN)/python bench/chaos.py $(ARGS)

# What a reload costs the calls that are made meanwhile. See docs/performance.md.
reload: $(INSTALLED)
	@$(BIN)/python bench/reload.py $(ARGS)

# Where the time of a GET goes: the top functions of a gateway under load.
profile: $(INSTALLED)
	@command -v wrk >/dev/null || .ci/apt-install wrk "it makes the load of the profile"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python bench/profile_get.py $(ARGS)

# The pages of docs/ as a site in build/docs, their links checked.
docs: $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@$(BIN)/mkdocs build --strict --quiet
	@echo "see build/docs/index.html"

# Debian ships Python without its venv module: ask apt for it where `python3 -m venv` can't.
$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/apt-install python3-venv "Debian ships Python without it"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (once; about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# The JavaScript clients and audits that tests run against the gateway; without Node they are skipped.
$(NODE): tests/fronts/graphql/node/package-lock.json
	@mkdir -p $(@D) && cp $(<D)/package.json $< $(@D)
	@if command -v npm >/dev/null; then npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --silent && touch $@; fi

# GraphiQL as the package ships it, from npm; its files are checked in.
graphiql:
	@rm -rf build/graphiql && mkdir -p build && cp -R tools/graphiql tools/bundle.mjs build
	@npm ci --prefix build/graphiql --ignore-scripts --no-audit --no-fund --silent
	@cd build/graphiql && node build.mjs ../../gateway/fronts/graphql/pages/graphiql

# Swagger UI likewise.
swagger-ui:
	@rm -rf build/openapi && mkdir -p build && cp -R tools/openapi tools/bundle.mjs build
	@npm ci --prefix build/openapi --ignore-scripts --no-audit --no-fund --silent
	@cd build/openapi && node build.mjs ../../gateway/fronts/rest/openapi/pages/swagger_ui

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
