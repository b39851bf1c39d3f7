package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"deployfs/objstore"
	"deployfs/objstore/fetch"
	"deployfs/objstore/pull"
)

// TestSummaryTries: a server that says nothing is asked once, one that fails again.
func TestSummaryTries(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		asked  int32
	}{
		"silent": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 1},
		"fails":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, 1 + 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				c.answer(w, r)
			}))
			defer server.Close()
			repo, err := objstore.Create(filepath.Join(t.TempDir(), "repo"), objstore.Setup{Mode: objstore.Archive})
			if err != nil {
				t.Fatal(err)
			}
			defer repo.Close()
			if err := repo.WriteConfig([]byte("[core]\nrepo_version=1\nmode=archive-z2\n[remote \"far\"]\nurl=" + server.URL + "\ngpg-verify=false\n")); err != nil {
				t.Fatal(err)
			}
			o := pull.RemoteOptions{Stall: 200 * time.Millisecond}
			retries := 1
			o.Retries = &retries
			_, _, err = summaryOf(context.Background(), repo, "far", o)
			var transfer *fetch.TransferError
			var status *fetch.StatusError
			if !errors.As(err, &transfer) && !errors.As(err, &status) {
				t.Errorf("error %v", err)
			}
			if got := asked.Load(); got != c.asked {
				t.Errorf("asked %d times, want %d", got, c.asked)
			}
		})
	}
}
