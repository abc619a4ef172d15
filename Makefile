# `make run` serves the demo, `make test` proves it. Each does all its set-up, and is quick when that is done.
UV = $(shell .ci/uv)
PORT ?= 8000
export PORT
# Where it is set, each of the hundreds of programs that the tests start would compile Django again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test fuzz drills check coverage audit sbom format

run:
	@"$(UV)" sync --quiet --locked --no-dev
	@"$(UV)" run --no-sync manage.py demo
	@exec "$(UV)" run --no-sync manage.py serve

# A third of the tests wait for servers and browsers, so that two cores work for three. Of those that take part in this three
# that fail are asked once more, and told.
test: check
	.ci/browser
	"$(UV)" run --no-sync pytest -n 3 --dist worksteal --reruns 1 --max-suite-reruns 3 --rerun-show-tracebacks

# The generated tests with other examples in each run, and twenty times as many: for nights. What fails is printed with
# the line that repeats it.
fuzz:
	"$(UV)" sync --quiet --locked
	HYPOTHESIS_PROFILE=nightly "$(UV)" run --no-sync pytest -n 2 --dist worksteal -o faulthandler_timeout=7200 \
		tests/api/test_round_trip.py tests/api/test_description_holds.py tests/authority/endpoints/test_fuzzing.py \
		tests/consumers/views/test_invitation_page.py tests/portal/test_fast_path.py tests/test_parsers_hold.py \
		tests/portal/test_fast_path_codes.py tests/portal/test_fast_path_introspection.py

# Faults and attacks on a running server, for some minutes. Their figures go into docs/resilience.md.
drills:
	"$(UV)" sync --quiet --locked
	"$(UV)" run --no-sync python -m drills

# As long as the tests take, and a little more. Fails below the floor in pyproject.toml.
coverage:
	"$(UV)" sync --quiet --locked
	.ci/browser
	"$(UV)" run --no-sync pytest -n 2 --dist worksteal --reruns 1 --max-suite-reruns 3 --cov --cov-report=term

# Known holes of what the lock files name, by OSV. `.ci/waivers` says which are looked at later, until when and why.
audit:
	.ci/audit

# What a release is made of, for whoever must know: CycloneDX 1.5, of uv.lock and the files of others in static/.
sbom:
	"$(UV)" sync --quiet --locked
	"$(UV)" run --no-sync python -m tests.sbom clientdesk.cdx.json

check:
	"$(UV)" sync --quiet --locked
	"$(UV)" run --no-sync ruff format --check .
	"$(UV)" run --no-sync ruff check .
	"$(UV)" run --no-sync djlint --lint --quiet templates
	"$(UV)" run --no-sync lint-imports
	"$(UV)" run --no-sync mypy
	"$(UV)" run --no-sync mypy --python-version 3.11 clientdesk
	"$(UV)" run --no-sync manage.py makemigrations --check --dry-run

format:
	"$(UV)" run --locked ruff format .
	"$(UV)" run --locked ruff check --fix .
