package finder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/object"
	"deployfs/objstore/pull"
	"deployfs/objstore/refs"
	"deployfs/objstore/remote"
)

const (
	configPriority = 100 // smaller is better
	atOnce         = 8   // remotes that are asked at the same time
)

// configured finds the remotes that are configured with a collection and list one of its refs.
func (s *search) configured(ctx context.Context) error {
	var list []*candidate
	for _, name := range s.remotes.Names() {
		if serves := s.servedBy(name); serves != nil {
			list = append(list, s.ofRemote(name, serves))
		}
	}
	failures := make([]error, len(list))
	turns := make(chan struct{}, atOnce)
	var asked sync.WaitGroup
	for i, c := range list {
		asked.Go(func() {
			turns <- struct{}{}
			failures[i] = c.ask(ctx, s.repo, s.how)
			<-turns
		})
	}
	asked.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for i, c := range list {
		s.add(c, failures[i])
	}
	return nil
}

// servedBy are the refs of the collection that a remote is configured with.
func (s *search) servedBy(name string) (serves []refs.Name) {
	id := collectionOf(s.remotes, name)
	return slices.DeleteFunc(slices.Clone(s.asked), func(ref refs.Name) bool { return ref.Collection != id })
}

func (s *search) ofRemote(name string, serves []refs.Name) *candidate {
	url, err := s.remotes.URL(name)
	if err != nil {
		url, _, _ = s.remotes.Option(name, "metalink")
	}
	return &candidate{
		Result: Result{Kind: Config, Remote: name, URL: url, Keyring: remote.Keyring(name), Priority: configPriority, name: name,
			source: &configured{s.repo, s.remotes, name, s.how}},
		serves: serves,
	}
}

// ask fetches the summary, which is verified as the remote's configuration says.
func (c *candidate) ask(ctx context.Context, repo *objstore.Repo, how pull.RemoteOptions) (err error) {
	c.list, _, _, err = pull.FetchSummary(ctx, repo, c.Remote, how)
	if err == nil && c.list == nil {
		err = errors.New("Remote refs not available; server has no summary file")
	}
	return err
}

// configured is the source of a configured remote.
type configured struct {
	repo    *objstore.Repo
	remotes *remote.List
	name    string
	how     pull.RemoteOptions
}

func (c *configured) timestamp(ctx context.Context, commit object.Checksum) (seconds uint64, size int, err error) {
	config, err := c.remotes.Transport(ctx, c.name, c.how.Override)
	if err != nil {
		return 0, 0, err
	}
	client, err := fetch.New(config)
	if err != nil {
		return 0, 0, err
	}
	defer client.Close()
	digits := commit.String()
	file := fetch.File{Path: fmt.Sprintf("objects/%s/%s.%s", digits[:2], digits[2:], object.KindCommit), Content: true}
	data, err := client.Get(ctx, file, objstore.MaxMetadata)
	if err != nil {
		return 0, 0, err
	}
	name := object.Name{Checksum: commit, Kind: object.KindCommit}
	if err := objstore.CheckMetadata(name, data); err != nil {
		return 0, 0, err
	}
	decoded, err := object.DecodeCommit(data)
	return decoded.Timestamp, len(data), err
}

func (c *configured) doubt(object.Checksum, string) error { return nil }

func (c *configured) pull(ctx context.Context, o pull.Options) error {
	how := c.how
	how.Options = o
	_, err := pull.Remote(ctx, c.repo, c.name, how)
	return err
}
