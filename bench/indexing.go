package main

import "context"

// indexing is the building of an index ahead of time: place builds it, and shows nothing anywhere.
type indexing struct{ program }

func (x *indexing) column() string  { return subject }
func (x *indexing) variant() string { return "deployfs index" }
func (x *indexing) absent() string  { return x.unknown("--no-index") }

func (x *indexing) prepare(ctx context.Context, t *tree) error {
	_, err := t.repo(ctx, bare)
	return err
}

func (x *indexing) place(ctx context.Context, t *tree, _ string) error { return x.index(ctx, t) }

func (x *indexing) renew(ctx context.Context, t *tree, _ string) error {
	return x.index(ctx, t, "--drop")
}

func (x *indexing) index(ctx context.Context, t *tree, args ...string) error {
	repo, err := t.repo(ctx, bare)
	if err != nil {
		return err
	}
	args = append([]string{x.path, "index", "--repo=" + repo}, args...)
	_, err = run(ctx, append(args, t.ref())...)
	return err
}

func (x *indexing) remove(context.Context, string) error { return nil }

func (x *indexing) status(context.Context, string) (status, error) { return status{}, nil }
