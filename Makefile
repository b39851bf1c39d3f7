# make demo    all set-up, then the main job on a built-in repository
# make test    all set-up, then every test
# make suite   OSTree's own tests with our program in the place of ostree; SUITE=--listed: those that have to pass
# make chaos   kills 1000 servers under readers, in 10 minutes
# make cuts    kills each writing command before each of its calls that change files, in 3 minutes
# make together the real ostree and ours on one repository at the same time, for a minute
# make fuzz    every fuzz target, FUZZTIME each
# make hostile MUTATIONS random changes of each kind of a repository's files, read in every way
# make bench   the table and the plot of bench/README.md, measured here in 20 minutes
# make picture the picture of the explorer in README.md, drawn anew
# make install the program, its man pages and completions, below $(DESTDIR)$(PREFIX), and the links by which mount(8)
#              finds it in $(DESTDIR)$(SBINDIR): mount(8) looks nowhere else than in /sbin. With OSTREE_LINK=1 it gets
#              the name ostree there, too, where no other program has it

PREFIX ?= /usr/local
SBINDIR ?= /sbin
GO ?= go
BIN := bin
FUZZTIME ?= 10m
MUTATIONS ?= 10000
TESTFLAGS ?=
SUITE ?=
BENCHFLAGS ?=

.PHONY: all build demo test race suite chaos cuts together fuzz hostile lint bench picture man install ostree-link clean

all: build man

# Without cgo a process starts a millisecond sooner; a mount takes two. Without tables for debuggers, which stack traces
# do not need, the program is a third smaller.
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $(BIN)/ ./cmd/...

demo: build
	$(BIN)/deployfs demo

test: build
	tests/setup.sh
	$(GO) test -timeout 30m $(TESTFLAGS) ./...

# What something costs can't be measured with the race detector, and what thousands of broken inputs do takes long with
# it and is the same: these tests are left out.
race: build
	tests/setup.sh race
	DEPLOYFS_RACE=1 $(GO) test -race -skip '^Test(Cost|Mutat)' -timeout 40m $(TESTFLAGS) ./...

suite: build
	tests/setup.sh suite
	tests/suite/run $(SUITE)

chaos: build
	tests/setup.sh
	DEPLOYFS_CHAOS=1000 $(GO) test ./tests -run '^TestChaos$$' -count 1 -timeout 1h -v

# DEPLOYFS_CUTS_SEED, which a run prints, repeats the order of the cuts.
cuts: build
	tests/setup.sh
	DEPLOYFS_CUTS=all $(GO) test ./tests -run '^TestDeed' -count 1 -timeout 1h -v

together: build
	tests/setup.sh
	DEPLOYFS_TOGETHER=60s $(GO) test ./tests -run '^TestTogether$$' -count 1 -timeout 10m -v

# Every fuzz target of every package, FUZZTIME each, two at a time. Go sometimes calls the end of FUZZTIME itself a
# failure ("context deadline exceeded", with no input that fails): that one is printed, and is none.
fuzz:
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
		sed -nE 's/^func (Fuzz[A-Za-z0-9]+)\(.*/\1/p' "$$file" | sed "s|^|$$(dirname "$$file") |"; \
	done | sort | xargs -P 2 -L 1 sh -c \
		'$(GO) test "$$0" -run "^$$" -fuzz "^$$1\$$" -fuzztime $(FUZZTIME) -parallel 1 >"$$(basename "$$0")-$$1.out" 2>&1 \
		&& echo "fuzz $$0 $$1: $$(grep -E "^fuzz: elapsed" "$$(basename "$$0")-$$1.out" | tail -n 1)" && rm "$$(basename "$$0")-$$1.out" \
		|| { cat "$$(basename "$$0")-$$1.out"; \
			grep -q "^    context deadline exceeded$$" "$$(basename "$$0")-$$1.out" \
			&& ! grep -q "Failing input written\|panic:" "$$(basename "$$0")-$$1.out" \
			&& rm "$$(basename "$$0")-$$1.out" || exit 255; }'

# Other changes each time, unless DEPLOYFS_MUTATION_SEED says which; a failure names it. One in a hundred is mounted
# and read by the built program, the others are read in process.
hostile: build
	tests/setup.sh
	seed=$${DEPLOYFS_MUTATION_SEED:-$$(date +%s)}; \
	DEPLOYFS_MUTATIONS=$(MUTATIONS) DEPLOYFS_MUTATION_SEED=$$seed $(GO) test -count=1 -timeout 6h -v -run '^TestMutations$$' ./fs && \
	DEPLOYFS_MUTATIONS=$(MUTATIONS) DEPLOYFS_MUTATION_SEED=$$seed $(GO) test -count=1 -timeout 6h \
		-run '^(TestMutatedRepositories|TestCost.*|TestHostile.*)$$' ./tests

lint:
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

bench: build
	tests/setup.sh
	bench/setup.sh
	$(GO) run ./bench -deployfs $(BIN)/deployfs -readme bench/README.md $(BENCHFLAGS)

picture: build
	tests/setup.sh
	DEPLOYFS_PICTURE=1 $(GO) test ./tests -run '^TestExplorePicture$$' -count 1

man: build
	mkdir -p $(BIN)/man
	$(BIN)/deployfs man --dir $(BIN)/man

install: man
	install -D -m 0755 $(BIN)/deployfs $(DESTDIR)$(PREFIX)/bin/deployfs
	install -d $(DESTDIR)$(SBINDIR)
	ln -sf $(PREFIX)/bin/deployfs $(DESTDIR)$(SBINDIR)/mount.fuse.deployfs
	ln -sf $(PREFIX)/bin/deployfs $(DESTDIR)$(SBINDIR)/mount.deployfs
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 0644 $(BIN)/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(BIN)/deployfs completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/deployfs
	$(BIN)/deployfs completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_deployfs
	$(BIN)/deployfs completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/deployfs.fish
	[ -z "$(OSTREE_LINK)" ] || $(MAKE) --no-print-directory ostree-link

# What is there stays, unless it is a link to deployfs.
ostree-link:
	@link=$(DESTDIR)$(PREFIX)/bin/ostree; target=$$(readlink "$$link" || true); \
	if [ -e "$$link" ] && [ "$${target##*/}" != deployfs ]; then \
		echo "$$link is there already: the link ostree is not made" >&2; exit 1; \
	fi; \
	ln -sfn deployfs "$$link"

clean:
	rm -rf $(BIN) *.out
