package pull

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/summary"
)

// FetchSummary returns a remote's summary, parsed and as it is, and its signature. It is
// verified as the remote's configuration says. Nil is what there is not.
func FetchSummary(ctx context.Context, repo *objstore.Repo, name string, o RemoteOptions) (parsed *summary.Summary, data, signature []byte, err error) {
	o.complete()
	s, err := newSession(repo, name, &o)
	if err == nil {
		err = s.connect(ctx, &o)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	defer s.client.Close()
	l, err := s.fetchSummary(ctx, o.VerifySummary)
	return l.parsed, l.data, l.signature, err
}

// fetchSummary fetches the summary and its signature, or reads them from the cache where the
// server still has the same.
func (s *session) fetchSummary(ctx context.Context, verify func(summary, signature []byte) error) (listed, error) {
	data, signature, cached, err := s.fetchPair(ctx)
	if err != nil {
		return listed{}, err
	}
	if verify != nil {
		err := verify(data.data, signature.data)
		if err != nil && cached {
			cached = false
			if data, err = s.anew(ctx); err == nil {
				err = verify(data.data, signature.data)
			}
		}
		if err != nil {
			return listed{}, err
		}
	}
	l, err := list(data.data, signature.data)
	if err != nil {
		return l, err
	}
	l.state, l.signatureState = data.state, signature.state
	if cached || data.data == nil || signature.data == nil {
		return l, nil
	}
	return l, s.keep(l, data, signature)
}

// keep puts a summary into the cache, and warns when it is older than the one there.
func (s *session) keep(l listed, data, signature kept) error {
	before, err := list(s.cache.read("").data, nil)
	if err == nil {
		if err := s.cache.older(before, l); err != nil {
			s.warn(fmt.Errorf("remote %s: %w", s.name, err))
		}
	}
	return s.cache.save(data, signature)
}

// fetchPair fetches both. With the signature that was kept goes the summary that was.
func (s *session) fetchPair(ctx context.Context) (data, signature kept, cached bool, err error) {
	before := s.cache.read(".sig")
	signature, same, err := s.refresh(ctx, "summary.sig", before)
	if err != nil {
		return data, signature, false, err
	}
	last := s.cache.read("")
	if signature.data != nil && last.data != nil && (same || bytes.Equal(signature.data, before.data)) {
		return last, signature, true, nil
	}
	data, _, err = s.refresh(ctx, "summary", last)
	return data, signature, false, err
}

// anew fetches the summary where the one of the cache does not fit its signature.
func (s *session) anew(ctx context.Context) (kept, error) {
	if os.Getenv("OSTREE_REPO_TEST_ERROR") == "invalid-cache" {
		return kept{}, fmt.Errorf("Remote %s cached summary invalid and OSTREE_REPO_TEST_ERROR_INVALID_CACHE specified", s.name)
	}
	data, _, err := s.refresh(ctx, "summary", kept{})
	return data, err
}

// refresh fetches a file that need not be there, unless it is the same as before.
func (s *session) refresh(ctx context.Context, name string, before kept) (k kept, same bool, err error) {
	state := before.state
	if before.data == nil {
		state = fetch.Validators{}
	}
	data, now, changed, err := s.client.Refresh(ctx, fetch.File{Path: name}, summary.MaxSize, state)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return kept{}, false, nil
	case err != nil:
		return kept{}, false, err
	case !changed:
		return before, true, nil
	case data == nil:
		data = []byte{}
	}
	return kept{data, now}, false, nil
}
