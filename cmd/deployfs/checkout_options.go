package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"

	"deployfs/checkout"
	"deployfs/cmd/internal/cli"
	"deployfs/objstore"
)

// unsupported is an option that asks for what can't be done.
type unsupported string

func (u unsupported) Error() string { return string(u) }

// parse checks what the options say together.
func (o *checkoutOptions) parse() (c checkout.Options, err error) {
	if err := o.conflict(); err != nil {
		return c, err
	}
	c = checkout.Options{
		User: o.user, Whiteouts: o.whiteouts, DeviceWhiteouts: o.passthrough,
		PlainDirs: o.plainDirs, Cache: !o.newStyle(),
	}
	switch {
	case o.union:
		c.Overwrite = checkout.Replace
	case o.unionAdd:
		c.Overwrite = checkout.Keep
	case o.unionIdentical:
		c.Overwrite = checkout.Identical
	}
	switch {
	case o.hardlinks:
		c.Links = checkout.LinkAlways
	case o.copies:
		c.Links = checkout.LinkNothing
	}
	if o.skipList != nil {
		c.Skip, err = readSkipList(*o.skipList)
	}
	return c, err
}

// conflict fails for options that can't be together, in ostree's order, or not be done.
func (o *checkoutOptions) conflict() error {
	switch {
	case o.composefs:
		return unsupported("--composefs: composefs images can't be made")
	case o.union && o.unionAdd:
		return cli.Words("Cannot specify both --union and --union-add")
	case o.union && o.unionIdentical:
		return cli.Words("Cannot specify both --union and --union-identical")
	case o.unionAdd && o.unionIdentical:
		return cli.Words("Cannot specify both --union-add and --union-identical")
	case o.hardlinks && (o.copies || o.policy != nil):
		return cli.Words("Cannot specify both --require-hardlinks and --force-copy")
	case o.prefix != nil && o.policy == nil:
		return cli.Words("Cannot specify --selinux-prefix without --selinux-policy")
	case o.unionIdentical && !o.hardlinks:
		return cli.Words("--union-identical requires --require-hardlinks")
	case o.policy != nil:
		return unsupported("--selinux-policy: SELinux labels can't be computed from a policy")
	}
	return nil
}

// readSkipList reads paths, one on a line.
func readSkipList(path string) (func(string) bool, error) {
	data, err := os.ReadFile(path)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return nil, cli.Words(fmt.Sprintf("openat(%s): %s", path, objstore.ErrnoText(errno)))
	}
	if err != nil {
		return nil, err
	}
	skip := map[string]bool{}
	for line := range bytes.Lines(data) {
		skip[string(bytes.TrimSuffix(line, []byte("\n")))] = true
	}
	return func(path string) bool { return skip[path] }, nil
}
