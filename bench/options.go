package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options is the command line.
type options struct {
	rounds   int
	cold     bool
	quick    bool
	only     *regexp.Regexp // nil: every question
	sizes    []int          // entries of the trees, smallest first
	json     string
	readme   string
	dir      string
	deployfs string
	effort
}

// effort is how much is done to answer a question.
type effort struct {
	huge     int           // entries above which a tree has small files, and is asked less
	large    int64         // bytes of the large file
	readCold int           // random reads of a file that is not cached
	readWarm int           // of one that is
	execs    int           // runs of a program
	sources  []string      // directories of GOROOT/src that a compiler reads
	delay    time.Duration // of a far web server's line, each way
}

var (
	whole = effort{huge: 100_000, large: 1 << 30, readCold: 5000, readWarm: 100_000, execs: 100, sources: []string{"go", "net", "crypto"}, delay: 10 * time.Millisecond}
	trial = effort{huge: 1000, large: 8 << 20, readCold: 100, readWarm: 1000, execs: 3, sources: []string{"go/ast"}, delay: time.Millisecond}
)

// errHelp says that help was asked for, and printed.
var errHelp = flag.ErrHelp

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.rounds, "n", 5, "`rounds` of each question, after one that is not counted")
	flags.BoolVar(&o.cold, "cold", true, "drop the caches of this machine, to measure what is cold")
	flags.BoolVar(&o.quick, "quick", false, "small trees and one round, to see that every row works")
	only := flags.String("only", "", "ask only the questions whose title this `regexp` matches")
	sizes := flags.String("sizes", "5000,50000,500000", "`entries` of the trees")
	flags.StringVar(&o.json, "json", "", "write everything that was measured to this `file`, too")
	flags.StringVar(&o.readme, "readme", "", "put the table between the marks in this `file`, and the plot beside it")
	flags.StringVar(&o.dir, "dir", "/var/tmp", "`directory` in which the work directory is made, and removed")
	flags.StringVar(&o.deployfs, "deployfs", "", "`path` of the program; built from ./cmd/deployfs when empty")
	if err = flags.Parse(args); err != nil {
		if errors.Is(err, errHelp) {
			flags.SetOutput(os.Stdout)
			flags.PrintDefaults()
		}
		return o, err
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if o.effort = whole; o.quick {
		o.effort = trial
		if !given["n"] {
			o.rounds = 1
		}
		if !given["sizes"] {
			*sizes = "300,1000,3000"
		}
	}
	if *only != "" {
		if o.only, err = regexp.Compile(*only); err != nil {
			return o, fmt.Errorf("-only: %w", err)
		}
	}
	if o.sizes, err = parseSizes(*sizes); err != nil {
		return o, fmt.Errorf("-sizes: %w", err)
	}
	return o, o.check(flags.Args())
}

// check refuses what makes no sense, and makes paths absolute.
func (o *options) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("no argument is taken, but %q was given", rest[0])
	}
	if o.rounds < 1 {
		return errors.New("-n is at least 1")
	}
	for _, path := range []*string{&o.json, &o.readme, &o.dir, &o.deployfs} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = absolute
	}
	return nil
}

// parseSizes reads numbers between commas, and sorts them.
func parseSizes(text string) (sizes []int, err error) {
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil {
			return nil, err
		}
		if n < 100 || n > 5_000_000 {
			return nil, fmt.Errorf("%d: a tree has 100 to 5000000 entries", n)
		}
		sizes = append(sizes, n)
	}
	slices.Sort(sizes)
	return slices.Compact(sizes), nil
}
