# make check: what to run before each commit; no TensorFlow, about a minute. make help lists the rest.
.PHONY: help check style fast test cover docs site try

help:
	@echo "check   style, types, imports, and the fast tests"
	@echo "style   style, types and imports alone"
	@echo "fast    the tests that need no TensorFlow and are over soon (tests/fast.txt)"
	@echo "test    all tests"
	@echo "cover   all tests, with their coverage"
	@echo "docs    write docs/reference/cli.md anew"
	@echo "try     build the page that judges in the visitor's browser, into web/dist/; needs Node.js"
	@echo "site    build the documentation, strictly, into site/"

check: style fast

style:
	ruff format --check .
	ruff check .
	mypy
	lint-imports

fast:
	pytest -q @tests/fast.txt

test:
	pytest

cover:
	pytest --cov --cov-report=term-missing

docs:
	python -m scripts.write_cli_reference

site: docs
	mkdocs build --strict

try:
	npm --prefix web ci
	npm --prefix web run check
	npm --prefix web run build
