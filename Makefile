# Each target installs what it needs into .venv; nothing else is changed on the machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: help run serve test test-sqlite test-postgresql test-faults check messages bench \
  bench-history bench-flow bench-soak bench-waiting bench-hanging bench-pages screenshots lock audit

help: ## What one can make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
TOOLS := .tools

$(VENV)/.run: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.lock
	touch $@

$(VENV)/.dev: requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements-dev.lock
	touch $@ $(VENV)/.run

$(TOOLS)/.done: requirements-tools.lock
	test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

# For every Python from 3.11 on and every system: what each needs stands there by marker.
# UPGRADE=1 also takes newer versions of what we do not name ourselves.
COMPILE = $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 \
  --generate-hashes --no-annotate --no-header $(if $(UPGRADE),--upgrade)
lock: $(TOOLS)/.done ## Write the locks anew, from the requirements
	$(COMPILE) requirements.txt -o requirements.lock
	$(COMPILE) requirements-dev.txt -c requirements.lock -o requirements-dev.lock
	$(COMPILE) requirements-bench.txt -c requirements.lock -o requirements-bench.lock
	$(COMPILE) requirements-tools.txt -o requirements-tools.lock

audit: $(TOOLS)/.done ## Known weaknesses of the locked versions; needs the internet
	$(TOOLS)/bin/python deploy/audit.py

run: export DEBUG ?= 1
run: $(VENV)/.run ## The site with a demo, on 127.0.0.1:8000
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py seed_demo
	$(BIN)/python manage.py runserver 127.0.0.1:8000

serve: $(VENV)/.run ## The site as in production, on the PostgreSQL and Redis found here
	$(BIN)/python -m config.serve

test: test-sqlite test-postgresql test-faults ## The whole suite

# What is left of the longer half goes to whoever is done with the shorter.
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-sqlite: $(VENV)/.dev
	$(PYTEST) --ignore tests/faults

# Once more on the stores of production, where a test has to do with a store: not with
# a SQLite that it makes for a server of its own, and not with files alone.
OF_NO_STORE := $(patsubst %,tests/test_%.py,privacy production signups_at_once deploy_files locks)
ON_POSTGRESQL := tests/accounts tests/numberverify/test_*.py tests/numberverify/seal \
  tests/numberverify/stepup tests/config/test_health.py tests/config/test_pool.py \
  $(filter-out $(OF_NO_STORE),$(wildcard tests/test_*.py))
POSTGRESQL_URL ?= postgres://postgres@127.0.0.1:5432/postgres
REDIS_URL ?= redis://127.0.0.1:6379/5
test-postgresql: $(VENV)/.dev
	@if $(BIN)/python -c "import psycopg, redis, sys; \
	    psycopg.connect(sys.argv[1], connect_timeout=3); redis.from_url(sys.argv[2]).ping()" \
	    "$(POSTGRESQL_URL)" "$(REDIS_URL)" 2>/dev/null; then \
	  DATABASE_URL=$(POSTGRESQL_URL) CACHE_URL=$(REDIS_URL) \
	    $(PYTEST) $(ON_POSTGRESQL); \
	elif [ -n "$(NO_SKIPS)" ]; then \
	  echo "PostgreSQL or Redis is missing and skips are forbidden"; exit 1; \
	else echo "SKIPPED: the suite on $(POSTGRESQL_URL) with $(REDIS_URL): one is missing"; fi

# One after the other: they share a database, a cache and a site, and kill them.
test-faults: $(VENV)/.dev
	$(BIN)/python -m pytest tests/faults

messages: $(VENV)/.dev ## The texts of the source into the catalogues, where gettext is; compiled
	$(BIN)/python -m tests.texts

# DATABASE_URL says beside which database: PostgreSQL, or SQLite in bench/. What is filled
# stays for the next run. ROWS=10000000 WRITE=1 is how bench/history.md was made.
ROWS ?= 200000
bench: bench-history bench-flow ## All figures: the history's, and the flows'

bench-history: export DATABASE_URL ?= sqlite:///bench/bench.sqlite3
bench-history: $(VENV)/.dev ## How the history does at ROWS rows
	$(BIN)/python -W ignore -m bench.history --rows $(ROWS) $(if $(WRITE),--write)

# Of PostgreSQL and Redis. The peers have an environment of their own.
BENCH := .venv-bench
$(BENCH)/.made: requirements-bench.lock
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

bench-flow bench-soak bench-waiting bench-hanging: export DATABASE_URL := $(if $(filter postgres%,$(DATABASE_URL)),$(DATABASE_URL),$(POSTGRESQL_URL))
bench-flow bench-soak bench-waiting bench-hanging: export CACHE_URL ?= redis://127.0.0.1:6379/3
bench-flow: $(BENCH)/.made ## Whole verifications a second, beside what one would pick instead
	$(BENCH)/bin/python -W ignore -m bench.flow $(if $(WRITE),--write)
	$(BENCH)/bin/python -W ignore -m bench.flow --http $(if $(WRITE),--write)

SECONDS ?= 60
bench-soak: $(BENCH)/.made ## Full rate for SECONDS: memory, errors, and the ledgers
	$(BENCH)/bin/python -W ignore -m bench.soak --seconds $(SECONDS) $(if $(WRITE),--write)

bench-waiting bench-hanging: $(BENCH)/.made ## Beside desktops that wait; beside an operator that hangs
	$(BENCH)/bin/python -W ignore -m bench.$(@:bench-%=%) $(if $(WRITE),--write)

ROUNDS ?= 5
bench-pages: $(VENV)/.dev ## How soon a phone on a slow network shows the pages; wants Redis
	$(BIN)/python -m bench.pages --rounds $(ROUNDS) $(if $(WRITE),--write)

# ONLY="login or ending" takes some of them.
screenshots: $(VENV)/.dev ## Look at every page: pictures and what is wrong, in screenshots/
	SCREENSHOTS=screenshots $(BIN)/python -m pytest -n $(WORKERS) \
	  tests/journeys/test_screenshots.py $(if $(ONLY),-k "$(ONLY)")

# As it would be in production, so that the deployment checks speak.
check: export SECRET_KEY = check-only-check-only-check-only-check-only-check-only-0123456789
check: export NV_FINGERPRINT_KEYS = check-only-check-only-check-only-check
check: export SITE_URL = https://site.example
check: export TRUSTED_PROXY_COUNT = 1
check: export CACHE_URL = redis://127.0.0.1:6379/0
check: export EMAIL_URL = smtp://mail.example:25
check: export NV_CLIENT_ID = id
check: export NV_CLIENT_SECRET = secret
check: export NV_API_HOST = https://operator.example/mobileconnect
check: $(VENV)/.dev ## Format, lint, types, import rules, migrations, deployment checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy config accounts numberverify bench
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --deploy --fail-level WARNING
