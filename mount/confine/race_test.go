//go:build race

package confine

import (
	"errors"
	"testing"
)

// TestErrThreads is the only one beside those of the filter that the race
// detector can run: it comes with cgo.
func TestErrThreads(t *testing.T) {
	report, err := Apply(Rules{})
	if !errors.Is(err, ErrThreads) || report != (Report{}) {
		t.Errorf("%v, %v; want %v", report, err, ErrThreads)
	}
}
