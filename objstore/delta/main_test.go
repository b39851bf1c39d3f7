package delta

import (
	"os"
	"testing"
)

// TestMain has nothing made durable: that would take most of the time.
func TestMain(m *testing.M) {
	os.Setenv("OSTREE_SUPPRESS_SYNCFS", "1")
	os.Exit(m.Run())
}
