# Two commands: `make serve` to talk with it, `make test` to check all of it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: serve test check format lock lock-homeassistant clean homeassistant test-homeassistant try-homeassistant

serve: $(VENV)/serve.stamp
	$(BIN)/vivavoce serve $(ARGS)

test: $(VENV)/dev.stamp
	bash tests/run $(ARGS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The folder to copy into Home Assistant's configuration: build/homeassistant/custom_components/openai_realtime.
homeassistant: | $(VENV)/bin/python
	$(BIN)/python custom_components/build.py build/homeassistant

# A real Home Assistant with it, beside an engine that answers: address and password are printed.
try-homeassistant: $(VENV)/serve.stamp
	$(BIN)/python examples/home-assistant/try_it.py $(ARGS)

test-homeassistant: $(VENV)/dev.stamp
	bash tests/homeassistant/run $(ARGS)

# Pinned requirement files, without index addresses.
lock: $(VENV)/dev.stamp
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url --no-header --extra all -o requirements/all.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url --no-header --extra all --group dev -c requirements/all.txt -o requirements/dev.txt pyproject.toml

# The same for each Home Assistant that the integration is tested with.
lock-homeassistant: $(VENV)/dev.stamp
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python tests/homeassistant/lock.py

clean:
	rm -rf $(VENV) .venv-homeassistant* .try-homeassistant build .mypy_cache .ruff_cache .pytest_cache test-results

# Debian's python3 has no ensurepip unless python3-venv is installed, so the outer pip fills the environment.
$(VENV)/bin/python:
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/serve.stamp: requirements/all.txt pyproject.toml | $(VENV)/bin/python
	$(PYTHON) -m pip --python $(VENV)/bin/python install --disable-pip-version-check --progress-bar on -r requirements/all.txt
	$(PYTHON) -m pip --python $(VENV)/bin/python install --disable-pip-version-check --quiet --no-deps -e .
	touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	$(PYTHON) -m pip --python $(VENV)/bin/python install --disable-pip-version-check --quiet -r requirements/dev.txt
	$(PYTHON) -m pip --python $(VENV)/bin/python install --disable-pip-version-check --quiet --no-deps -e .
	touch $@
