# `make run` serves the demo, `make test` proves it. Each does all its set-up, and is quick when that is done.
UV = $(shell .ci/uv)
PORT ?= 8000
export PORT

.PHONY: run test check format

run:
	@"$(UV)" sync --quiet --no-dev
	@"$(UV)" run --no-sync manage.py demo
	@echo "  Serving. Ctrl-C stops it; the data stay in .data/."
	@exec "$(UV)" run --no-sync manage.py serve

# Servers, browsers and clocks of a busy machine take part in the tests: three that fail are asked once more, and told.
test: check
	.ci/browser
	"$(UV)" run --no-sync pytest -n 2 --dist worksteal --reruns 1 --max-suite-reruns 3 --rerun-show-tracebacks

check:
	"$(UV)" sync --quiet --locked
	"$(UV)" run --no-sync ruff format --check .
	"$(UV)" run --no-sync ruff check .
	"$(UV)" run --no-sync lint-imports
	"$(UV)" run --no-sync mypy
	"$(UV)" run --no-sync manage.py makemigrations --check --dry-run

format:
	"$(UV)" run ruff format .
	"$(UV)" run ruff check --fix .
