package pull

import (
	"context"
	"errors"
	"io/fs"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/summary"
)

// FetchSummary returns a remote's summary, parsed and as it is, and its signature. It is
// verified as the remote's configuration says. Nil is what there is not.
func FetchSummary(ctx context.Context, repo *objstore.Repo, name string, o RemoteOptions) (parsed *summary.Summary, data, signature []byte, err error) {
	s, err := openSession(ctx, repo, name, &o)
	if err != nil {
		return nil, nil, nil, err
	}
	defer s.client.Close()
	l, err := s.fetchSummary(ctx, o.VerifySummary)
	return l.parsed, l.data, l.signature, err
}

// fetchSummary fetches the summary and its signature. When the signature is the one of the
// cache, so is the summary.
func (s *session) fetchSummary(ctx context.Context, verify func(summary, signature []byte) error) (listed, error) {
	signature, err := s.optional(ctx, "summary.sig")
	if err != nil {
		return listed{}, err
	}
	data, err := s.optional(ctx, "summary")
	if err != nil {
		return listed{}, err
	}
	if verify != nil {
		if err := verify(data, signature); err != nil {
			return listed{}, err
		}
	}
	return list(data, signature)
}

// optional fetches a file that need not be there; then it is nil.
func (s *session) optional(ctx context.Context, name string) ([]byte, error) {
	data, err := s.client.Get(ctx, fetch.File{Path: name}, summary.MaxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// summaryCache is where summaries are kept that have a signature.
type summaryCache struct {
	repo   *objstore.Repo
	dir    string
	remote string
}
