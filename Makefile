# `make` lists what can be made. Every target first puts what it needs into .venv; what that is stands in pyproject.toml.

PYTHON ?= python3
BIN := .venv/bin
# Tests run from tests/, so that what they import is the package installed in .venv and not the source tree.
PYTEST := cd tests && ../$(BIN)/pytest
PARALLEL := -n auto --dist worksteal
# All of them, on all cores at once; then, by themselves, those that measure time. A part that ARGS names runs in one go.
SUITE = $(PYTEST) -q $(if $(ARGS),$(ARGS),$(PARALLEL) -m "not clock" $(1) && \
            ../$(BIN)/pytest -q -m clock $$(grep -l "mark.clock" test_*.py))
# -P keeps the source tree out of the way here too.
RUN := $(BIN)/python -P

# Whatever the installed package is built from; the folders too, whose times tell when a file has gone.
SOURCES := pyproject.toml setup.py $(shell find csrc mlpcore -type d ! -name __pycache__) \
           $(shell find csrc mlpcore -name '*.[ch]' -o -name '*.py' -o -name '*.pyi' -o -name py.typed -o -path '*/front/*.*')
# All of the C that knows no Python.
CORE := $(wildcard csrc/catalogue/*.c csrc/reference/reference_f*.c csrc/runtime/*.c csrc/isa/*.c csrc/net/*.c)
C_FILES := $(filter %.c %.h,$(SOURCES)) $(wildcard tests/*.h tests/bits/*.[ch] tests/exhaustive/*.c tests/fma/*.c tests/neon/*.[ch] tests/plan/*.[ch] \
           tests/tsan/*.c tests/wasm/*.c benchmarks/*.[ch] benchmarks/ladder/*.[ch])
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wsign-conversion -Wswitch-enum -Werror
# Warnings are about our C, not about the headers of Python and NumPy.
SYSTEM_HEADERS := import numpy, sysconfig; print("-isystem", numpy.get_include(), "-isystem", sysconfig.get_path("include"))
# They build programs or packages of their own, or watch the size of the process, in which the sanitizer keeps freed memory.
NOT_UNDER_ASAN := peers test_benchmarks.py test_bits.py test_builds.py test_demo.py test_extension.py test_fma.py test_leaks.py \
                  test_notebooks.py test_packaging.py test_plan.py test_setup.py
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
# Only a whole run is kept for others to read.
RECORD = $(if $(ARGS),,--output benchmarks/results)

.DELETE_ON_ERROR:
.PHONY: help demo test test-peers test-exhaustive test-builds test-asan test-bits test-isa test-neon test-wasm playground test-playground test-widget test-notebook test-fma test-c test-tsan test-fork test-interrupts test-kills test-memmap test-diagnose test-latex test-callgrind test-site bench bench-sweep bench-builds bench-ladder bench-pool bench-tables docs docs-tables docs-plots lint format clean always

help:  ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*##/\1/p' $(MAKEFILE_LIST) | while read -r t text; do printf '  %-17s%s\n' "$$t" "$$text"; done

demo: .venv/.demo .venv/.installed  ## train on handwritten digits, check the gradients, draw what came out (build/demo)
	$(RUN) -m mlpcore demo --output build/demo

test: .venv/.demo .venv/.test .venv/.installed  ## prove everything but what is below; ARGS="test_losses.py -k softmax" runs a part
	$(call SUITE)

test-peers: .venv/.peers .venv/.test .venv/.installed  ## compare with PyTorch and Keras, and run what the how-tos do with them (downloads both)
	$(PYTEST) -q peers test_loggers.py
	$(PYTEST) -q test_docs.py -k howto

test-exhaustive: .venv/.installed  ## try the elementary functions on all 2^32 floats (half an hour of a core); ARGS="gelu selu": these alone
	$(RUN) tests/exhaustive/run.py $(ARGS)

test-builds: .venv/.test .venv/.installed  ## train with gcc -O0, gcc -O3, clang -O3, on each instruction set: the same bits
	export MLPCORE_TEST_BUILDS=full; $(PYTEST) -v test_builds.py

test-asan: .venv/.test .venv/.installed  ## run the tests of the C code under AddressSanitizer and UBSan
	CC=gcc CFLAGS="-O1 -g -UNDEBUG -fno-omit-frame-pointer $(SANITIZE)" LDFLAGS="$(SANITIZE)" \
	    $(BIN)/python setup.py -q build --force --build-base build/asan --build-lib build/asan/lib
	export LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" PYTHONPATH=../build/asan/lib \
	    PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1; \
	$(PYTEST) -q -m "not clock and not unsanitized" $(or $(ARGS),$(PARALLEL) $(NOT_UNDER_ASAN:%=--ignore=%))

test-bits: .venv/.test .venv/.installed  ## compare every kernel with the reference at every size, and under the sanitizers (minutes)
	export MLPCORE_TEST_BITS=full; $(PYTEST) -s test_bits.py
	@for cc in gcc clang; do (export CC="$$cc $(SANITIZE)"; echo "$$CC"; $(PYTEST) -s test_bits.py -k equal) || exit; done

# test_bits.py takes each of them by itself.
test-isa: .venv/.demo .venv/.test .venv/.installed  ## run the tests once on each instruction set of this machine
	@for isa in $$($(RUN) -c 'import mlpcore; print(*mlpcore.cpu.info()["available"])'); do \
	    echo "MLPCORE_ISA=$$isa"; (export MLPCORE_ISA=$$isa; $(call SUITE,--ignore=test_bits.py)) || exit; \
	done

test-c: .venv/.test .venv/.installed  ## compile 200 models as C with gcc and clang, for AArch64, Cortex-M and x86 of 32 bits: the same bits (minutes)
	export MLPCORE_TEST_C=full; $(PYTEST) -v test_c_network.py

test-tsan:  ## run the pool of threads and training on it under ThreadSanitizer (clang)
	@mkdir -p build/tsan
	@for program in pool training; do \
	    clang -std=c11 -O1 -g -ffp-contract=off -fsanitize=thread -Icsrc tests/tsan/$$program.c $(CORE) -lm -pthread \
	        -o build/tsan/$$program && TSAN_OPTIONS=halt_on_error=1 build/tsan/$$program || exit; \
	done

test-fork: .venv/.demo .venv/.test .venv/.installed  ## start 200 processes in the middle of training: none hangs, same bits
	$(RUN) tests/forks.py 200

test-interrupts: .venv/.test .venv/.installed  ## press Ctrl-C in 100 trainings: each ends within 0.2 s, at a whole batch
	$(RUN) tests/interrupts.py 100

test-kills: .venv/.test .venv/.installed  ## kill 200 trainings and go on from their checkpoints: no file is torn, same bits
	$(RUN) tests/kills.py 200

test-memmap: .venv/.test .venv/.installed  ## train on a mapped file of 8 GB in 500 MB of memory, at 80 % of the speed of an array (minutes)
	$(RUN) tests/mapped.py 8

test-neon: .venv/.test .venv/.installed  ## cross-compile the C code for AArch64 and try it under an emulator (minutes)
	$(RUN) tests/neon/run.py

playground: .venv/.wasm .venv/.installed  ## make the playground that needs no Python: build/playground/index.html, everything in it
	$(RUN) docs/playground/build.py

test-playground: .venv/.browser playground  ## train there, in Node and Chromium, as in Python: the same bits, no request, 30 pictures a second
	$(RUN) tests/playground/run.py

test-notebook: .venv/.browser .venv/.notebook .venv/.lab .venv/.demo .venv/.test .venv/.installed  ## run tables, bar, formulas, help and the Stop button in a JupyterLab in headless Chromium (pictures: build/notebook)
	$(RUN) tests/notebook/run.py

test-widget: .venv/.browser .venv/.notebook .venv/.lab .venv/.installed  ## run the playground in a JupyterLab in headless Chromium (pictures: build/playground)
	$(RUN) tests/playground/lab.py

test-wasm: .venv/.test .venv/.installed  ## compile the C code for WebAssembly and train there, under Node: the same bits
	$(RUN) tests/wasm/run.py

test-fma: .venv/.test .venv/.installed  ## compare our own fma with the processor's on 10 million random triples of each type
	export MLPCORE_TEST_FMA=full; $(PYTEST) -v test_fma.py

test-latex: .venv/.test .venv/.installed  ## compile the LaTeX that is written for print: apt-get install texlive-latex-recommended
	$(RUN) tests/latex/run.py build/latex

test-diagnose: .venv/.test .venv/.installed  ## name the mistakes of 2,000 wrong answers, and judge thousands of right ones (minutes)
	export MLPCORE_TEST_DIAGNOSE=full; $(PYTEST) -s -q test_judging.py

test-callgrind: .venv/.test .venv/.installed  ## count fit's instructions with and without a trace before it: apt-get install valgrind
	$(RUN) tests/instructions.py

bench: .venv/.bench .venv/.installed  ## time everything beside NumPy, PyTorch, JAX, scikit-learn (minutes); ARGS=--quick: see that it works
	@for what in steps products optimizers parts streams threads overhead footprint estimators; do \
	    $(BIN)/python benchmarks/$$what.py $(RECORD) $(ARGS) || exit; \
	done

bench-tables: .venv/.tables .venv/.installed  ## score and time the estimators on 14 real tables beside others (a quarter of an hour; downloads PyTorch)
	$(BIN)/python benchmarks/tables.py $(RECORD) $(ARGS)

bench-sweep: .venv/.bench .venv/.installed  ## draw training steps over widths, depths and batches beside the others (up to an hour)
	$(BIN)/python benchmarks/sweep.py $(RECORD) $(ARGS)

bench-builds: .venv/.bench .venv/.installed  ## compare the speed of this build with that of a commit: OLD=v0.1.0
	@rm -rf build/old && mkdir -p build/old/tree && git archive $(OLD) | tar -x -C build/old/tree
	@$(BIN)/pip install --quiet --no-build-isolation --no-deps --target build/old build/old/tree
	$(BIN)/python benchmarks/builds.py build/old $(RECORD) $(ARGS)

bench-ladder:  ## climb from a naive product to a fast one, step by step, in C (benchmarks/ladder)
	@$(MAKE) -C benchmarks/ladder ARGS="$(ARGS)"

bench-pool:  ## time the pool of threads by itself, in C: best on an idle machine
	@mkdir -p build
	@$(CC) -std=c11 -O2 -Icsrc benchmarks/pool.c csrc/runtime/threads.c csrc/runtime/memory.c -lm -pthread -o build/bench-pool
	@build/bench-pool

lint: .venv/.demo .venv/.lint  ## check format, style, types, and that gcc and clang have nothing to warn of
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@echo clang-format && $(BIN)/clang-format --dry-run -Werror $(C_FILES)
	@# clang has all its warnings without optimizing, gcc has not.
	@headers=$$($(BIN)/python -c '$(SYSTEM_HEADERS)'); \
	for cc in "gcc -O2" "clang -fsyntax-only"; do \
	    command -v $${cc%% *} >/dev/null || { echo "$${cc%% *} is not installed: not asked for its warnings"; continue; }; \
	    echo "$$cc $(WARNINGS)"; \
	    printf '%s\n' $(CORE) csrc/python/*.c csrc/wasm/*.c | \
	        xargs -n 1 -P "$$(nproc)" $$cc -std=c11 -DNDEBUG $(WARNINGS) -Icsrc $$headers -c -o /dev/null || exit 1; \
	done

docs: .venv/.docs .venv/.demo .venv/.installed playground  ## build the docs site, with mathematics and search that need no network: build/site/index.html
	$(BIN)/sphinx-build -a -W --keep-going -q -c docs . build/site

test-site: .venv/.browser docs  ## open every page of the site in a headless Chromium with no network; ARGS=docs/index.html takes pictures
	$(RUN) tests/site/run.py $(ARGS)

docs-tables: .venv/.test .venv/.installed  ## write docs/catalogue.md and the tables in docs/diagnose.md and docs/interop.md from the catalogues
	$(RUN) docs/make_catalogue.py
	$(RUN) docs/make_tables.py

docs-plots: .venv/.demo .venv/.installed  ## draw the pictures of docs/plots.md
	$(RUN) docs/make_plots.py

format: .venv/.lint  ## put C and Python into the project's format
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(C_FILES)

clean:  ## remove what was made, .venv too
	rm -rf .venv build dist *.egg-info .hypothesis tests/.hypothesis .*_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# What follows keeps .venv up to date: .venv/.NAME is touched when what the extra NAME of pyproject.toml lists is there.

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mlpcore needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

REQUIREMENTS := import sys, tomllib; t = tomllib.load(open("pyproject.toml", "rb")); p = t["project"]; \
    print(*t["build-system"]["requires"], *p["dependencies"], *p["optional-dependencies"].get(sys.argv[1], []), sep="\n")

.venv/.%: pyproject.toml | $(BIN)/pip
	@echo "Installing what \`$*' needs into .venv"
	@needed=$$($(BIN)/python -c '$(REQUIREMENTS)' $*) && $(BIN)/pip install --quiet $$needed
	@touch $@

# The compiler and its options, as setup.py finds them: written anew only when they are others than the last time.
.venv/.built-with: always | $(BIN)/pip
	@printf '%s\n' "$$CC" "$$CFLAGS" "$$CPPFLAGS" "$$LDFLAGS" "$$LDSHARED" >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# What is compiled in build/ stays, so that only a change of C compiles anew. Copies of Python files there do not: they
# would be installed even after their originals have gone.
.venv/.installed: $(SOURCES) .venv/.built-with | .venv/.base
	@echo "Building and installing mlpcore"
	@mkdir -p build && find build -path 'build/lib.*' -type f ! -name '*.so' -delete
	@$(BIN)/pip install --quiet --no-build-isolation --no-deps --force-reinstall .
	@touch $@
